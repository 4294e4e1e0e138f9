"""Approvals over HTTP."""

from __future__ import annotations

from tasks.api import approvals

routers = (approvals.router,)
