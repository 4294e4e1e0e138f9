"""Wakes: ringing them, taking what waits, and looking after their definitions."""
