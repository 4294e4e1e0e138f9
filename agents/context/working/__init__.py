"""Working memory as a prompt shows it: the log of events, other conversations, and who is here. No model is asked.

One statement reads all of it, filtered by who listens; what is rendered depends on what was read and on the day alone,
so it is kept by content and stays the same, byte for byte, until something changes.
"""
