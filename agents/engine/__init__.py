"""The run engine: PostgreSQL owns, Celery wakes.

`claims` takes and keeps a run, `journal` records its steps and calls its tools, `executor` drives one execution,
`endings` makes the one terminal write, `wakeups` starts and nudges, `recovery` finds what was left behind.

Lock order, everywhere: conversation, then run, then the event counter.
"""
