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
from tasks.models.board import (
    OPEN_STATES,
    Attempt,
    AuthorKind,
    Outcome,
    Task,
    TaskComment,
    TaskCounter,
    TaskDecision,
    TaskDependency,
    TaskRevision,
    TaskState,
    WorkerType,
    Workspace,
)
from tasks.models.common import Audience, Priority
from tasks.models.goals import Authority, Goal, GoalStatus

__all__ = [
    "OPEN_STATES",
    "PENDING_STATES",
    "Approval",
    "ApprovalRule",
    "ApprovalState",
    "Attempt",
    "Audience",
    "AuthorKind",
    "Authority",
    "Decision",
    "Goal",
    "GoalStatus",
    "Grant",
    "Outcome",
    "Priority",
    "Task",
    "TaskComment",
    "TaskCounter",
    "TaskDecision",
    "TaskDependency",
    "TaskRevision",
    "TaskState",
    "Verdict",
    "WorkerType",
    "Workspace",
]
