"""Working memory."""

from __future__ import annotations

from tests.matrix.table.rules import SEEN, Operation, Rows, read

API: dict[str, Operation] = {
    "GET /conversations/{conversation_id}/working-memory": read("memory:read", participants=True),
    "GET /agents/{agent_id}/events": read("memory:read"),
    "GET /agents/{agent_id}/syntheses": read("memory:read"),
}

ADMIN_ROWS: dict[str, Rows] = {
    "agents.Synthesis": SEEN,
    "agents.WorkingEvent": SEEN,
    "agents.WorkingState": SEEN,
}
