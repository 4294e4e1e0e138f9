"""Whether a proposed change of a goal still starts from what the goal is."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from tasks.models import PENDING_STATES, Approval, ApprovalState, Goal
from tasks.services.approvals.asking import close

KIND = "goal_change"


def open_changes(goal: Goal) -> QuerySet[Approval]:
    return goal.approvals.filter(kind=KIND, state__in=PENDING_STATES)


def is_current(approval: Approval, goal: Goal) -> bool:
    before = approval.action.get("from", {})
    return all(plain(getattr(goal, name)) == value for name, value in before.items())


def drop_stale(goal: Goal) -> None:
    """Close the questions that start from what the held goal no longer is."""
    for approval in open_changes(goal).select_for_update(of=("self",)):
        if not is_current(approval, goal):
            close(approval, ApprovalState.WITHDRAWN, "the goal was changed meanwhile")


def plain(value: Any) -> Any:
    """Return a column's value as JSON has it."""
    return value.isoformat() if hasattr(value, "isoformat") else value
