"""Taking memories along."""

from __future__ import annotations

from tests.matrix.table.rules import Operation, list_of

STREAMED = ["GET /memories/export"]
"""Their bodies come from a coroutine, which a WSGI client cannot read."""
API: dict[str, Operation] = {"GET /memories/export": list_of("memory:read")}
