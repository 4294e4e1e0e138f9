"""What people and agents work on."""

from __future__ import annotations

from tasks.models.board import (
    OPEN_STATES,
    Attempt,
    AuthorKind,
    Decision,
    Outcome,
    Task,
    TaskComment,
    TaskCounter,
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
    "Attempt",
    "Audience",
    "AuthorKind",
    "Authority",
    "Decision",
    "Goal",
    "GoalStatus",
    "Outcome",
    "Priority",
    "Task",
    "TaskComment",
    "TaskCounter",
    "TaskDependency",
    "TaskRevision",
    "TaskState",
    "WorkerType",
    "Workspace",
]
