"""Goals, tasks and approvals over HTTP."""

from __future__ import annotations

from tasks.api import approvals, board, goals, task_parts

routers = (approvals.router, board.router, task_parts.router, goals.router)
