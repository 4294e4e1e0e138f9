"""What is planned and due, over HTTP."""

from __future__ import annotations

from tasks.api import schedules

routers = (schedules.router,)
