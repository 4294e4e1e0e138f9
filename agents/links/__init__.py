"""Agents among themselves: who leads whom, and who may hand work to whom."""
