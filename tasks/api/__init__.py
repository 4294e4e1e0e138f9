"""Goals, tasks, approvals and schedules over HTTP."""

from __future__ import annotations

from tasks.api import approvals, board, goals, schedules, task_parts

routers = (approvals.router, board.router, task_parts.router, goals.router, schedules.router)
