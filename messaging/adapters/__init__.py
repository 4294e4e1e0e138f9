"""Platforms. One module per platform; `registry.py` lists them all.

To add one: write `adapters/<platform>.py` with a subclass of `base.BaseAdapter`, put it into the registry,
subclass `tests/messaging/adapters/contract.py`, and describe its settings in `docs/adapters.md`. A vendor's
library is imported inside the methods that need it, so that listing the platforms stays cheap.
"""
