"""Writes of schedules and their ledger.

Lock order: conversation, schedule, firing, then whatever a run holds of its own. A run that ends holds its conversation
already; whoever pauses or changes a schedule takes the conversation's row first.
"""
