"""What a revision keeps of a task, and how two of them differ."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Literal

from tasks.models import Priority, Task, TaskDependency


@dataclass(frozen=True)
class Holder:
    """Who owns a task or is to do it. `id` is a user's or an agent's."""

    kind: Literal["person", "agent"]
    id: int


def holder(user_id: int | None, agent_id: int | None) -> Holder | None:
    if user_id is not None:
        return Holder("person", user_id)
    return Holder("agent", agent_id) if agent_id is not None else None


def needs_of(task_ids: list[int]) -> dict[int, list[int]]:
    """Return the numbers of the tasks that each needs, in order; one query."""
    rows = TaskDependency.objects.filter(task_id__in=task_ids).order_by("needs__number")
    found: dict[int, list[int]] = {}
    for task_id, number in rows.values_list("task_id", "needs__number"):
        found.setdefault(task_id, []).append(number)
    return found


def snapshot(task: Task) -> dict[str, Any]:
    """Return all that the task says now, as JSON. One query."""
    owner = holder(task.owner_user_id, task.owner_agent_id)
    assignee = holder(task.assignee_user_id, task.assignee_agent_id)
    return {
        "title": task.title,
        "description": task.description,
        "subtasks": task.subtasks,
        "metadata": task.metadata,
        "priority": Priority(task.priority).label,
        "goal_id": task.goal_id,
        "state": task.state,
        "blocked_reason": task.blocked_reason,
        "owner": [owner.kind, owner.id] if owner else None,
        "assignee": [assignee.kind, assignee.id] if assignee else None,
        "worker_type": task.worker_type,
        "skills": task.skills,
        "workspace": task.workspace,
        "needs": needs_of([task.pk]).get(task.pk, []),
    }


@dataclass(frozen=True)
class Difference:
    """One field that differs. For long texts, `lines` is a unified diff without its heading."""

    field: str
    before: Any
    after: Any
    lines: tuple[str, ...] = ()


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Return what differs, in the order of a snapshot."""
    found = []
    for field in after:
        old, new = before.get(field), after[field]
        if old == new:
            continue
        lines: tuple[str, ...] = ()
        if field == "description":
            diff = difflib.unified_diff((old or "").splitlines(), (new or "").splitlines(), lineterm="", n=2)
            lines = tuple(list(diff)[2:])
        found.append(Difference(field, old, new, lines))
    return found
