"""Our models served to a program that brings its own loop: a coding agent within walls.

`endpoint` listens for one run and passes each request through `llm.services.complete`, so that routes, fallbacks, the ledger and
the shield against secrets hold for it, and no provider's key ever goes inside. `reading` turns a request of the wire into ours,
`chat_answers` and `anthropic_answers` turn our answer back.
"""
