"""Writes, one module a subject. Lock order: the organization's board counter, a task, the audit trail, the event counter.

A run's own locks (conversation, run) come before all of these.
"""
