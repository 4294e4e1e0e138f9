"""Taking memories along."""

from __future__ import annotations

from tests.matrix.table.rules import Operation, list_of

API: dict[str, Operation] = {"GET /memories/export": list_of("memory:read")}
