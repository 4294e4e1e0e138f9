"""The clients: one per wire format, plus two that need no network.

To add one: write a class with `name` and `stream` (see `llm.types.ChatModel`), turn its vendor's errors into
those of `llm.errors`, end with `answers.finish`, add it to `CLIENTS` in `registry.py` and to `ProviderKind`, ship
a fake server style for it in `llm/fakes`, and add that style to the shared tests in `tests/llm/clients`.
"""
