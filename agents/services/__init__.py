"""Writes: agents, conversations with them, their runs."""
