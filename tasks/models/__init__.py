"""What is planned, decided and due."""

from __future__ import annotations

from tasks.models.approvals import (
    PENDING_STATES,
    Approval,
    ApprovalRule,
    ApprovalState,
    Decision,
    Grant,
    Verdict,
)

__all__ = [
    "PENDING_STATES",
    "Approval",
    "ApprovalRule",
    "ApprovalState",
    "Decision",
    "Grant",
    "Verdict",
]
