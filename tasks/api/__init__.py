"""Goals and tasks over HTTP."""

from __future__ import annotations

from tasks.api import board, goals, task_parts

routers = (board.router, task_parts.router, goals.router)
