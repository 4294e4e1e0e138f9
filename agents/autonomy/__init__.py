"""Agents that work by themselves: how far, when, with what, and how people stop them."""
