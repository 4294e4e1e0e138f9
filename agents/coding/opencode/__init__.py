"""The backend opencode (https://opencode.ai, MIT): its server, driven by its HTTP interface and its stream of events.

`server` starts it and makes sure that it is ours, `session` follows one conversation, `calls` reads what it wants to do.
"""
