"""Checking what is written into a task, field by field, whoever writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from accounts.errors import InvalidInput
from accounts.models import Membership
from tasks import visibility
from tasks.agents import workforce
from tasks.authors import Author
from tasks.models import GoalStatus, Priority, WorkerType, Workspace
from tasks.snapshots import Holder

BINDING = frozenset(
    {"title", "description", "subtasks", "goal_id", "assignee", "worker_type", "skills", "workspace", "needs"}
)
"""What would run, and for whom: an approval holds only as long as these stay as they were."""

MOST_SUBTASKS, MOST_SKILLS, MOST_NEEDS = 50, 20, 20
MOST_METADATA = 16_000


def clean(author: Author, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes as they can be stored; `needs` stays a list of numbers. Raises InvalidInput."""
    unknown = set(changes) - set(CLEANERS)
    if unknown:
        raise InvalidInput("This cannot be changed.", field=sorted(unknown)[0])
    return {field: CLEANERS[field](author, value) for field, value in changes.items()}


def columns(cleaned: dict[str, Any]) -> dict[str, Any]:
    """Return cleaned changes by the table's own columns."""
    found: dict[str, Any] = {}
    for field, value in cleaned.items():
        if field in ("owner", "assignee"):
            found[f"{field}_user_id"] = value.id if value and value.kind == "person" else None
            found[f"{field}_agent_id"] = value.id if value and value.kind == "agent" else None
        elif field != "needs":
            found[field] = value
    return found


def _text(field: str, most: int, *, needed: bool = False) -> Callable[[Author, Any], str]:
    def check(author: Author, value: Any) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise InvalidInput("This must be text.", field=field)
        text = " ".join(value.split()) if needed else value.strip()
        if needed and not text:
            raise InvalidInput("A task needs a title.", field=field)
        if len(text) > most:
            raise InvalidInput(f"This is too long: {most:,} characters at most.", field=field)
        return text

    return check


def _subtasks(author: Author, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MOST_SUBTASKS:
        raise InvalidInput(f"A list of at most {MOST_SUBTASKS} subtasks is needed.", field="subtasks")
    title = _text("subtasks", 300, needed=True)
    found = []
    for item in value:
        if not isinstance(item, dict) or set(item) - {"title", "done"}:
            raise InvalidInput("A subtask has a title, and done.", field="subtasks")
        found.append({"title": title(author, item.get("title")), "done": item.get("done") is True})
    return found


def _metadata(author: Author, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput("Metadata must be an object.", field="metadata")
    if len(json.dumps(value)) > MOST_METADATA:
        raise InvalidInput(f"Metadata is too large: {MOST_METADATA:,} characters at most.", field="metadata")
    return value


def _priority(author: Author, value: Any) -> int:
    found = Priority.named(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidInput("The priority is critical, high, medium or low.", field="priority")
    return int(found)


def _goal(author: Author, value: Any) -> int | None:
    if value is None:
        return None
    goal = visibility.goals(author).filter(pk=value).first()
    if goal is None:
        raise InvalidInput("There is no such goal.", field="goal_id")
    if goal.status in (GoalStatus.COMPLETED, GoalStatus.ABANDONED):
        raise InvalidInput("This goal is closed.", field="goal_id")
    return int(goal.pk)


def _holder(field: str) -> Callable[[Author, Any], Holder | None]:
    def check(author: Author, value: Any) -> Holder | None:
        if value is None:
            return None
        if not isinstance(value, Holder):
            raise InvalidInput("Name a person or an agent.", field=field)
        if value.kind == "agent":
            known = value.id in workforce().names(author.organization_id)
        else:
            known = Membership.objects.filter(
                organization_id=author.organization_id, user_id=value.id, user__is_active=True
            ).exists()
        if not known:
            raise InvalidInput(f"There is no such {value.kind} here.", field=field)
        return value

    return check


def _choice(field: str, values: list[str]) -> Callable[[Author, Any], str]:
    def check(author: Author, value: Any) -> str:
        if value not in values:
            raise InvalidInput(f"This must be one of: {', '.join(values)}.", field=field)
        return str(value)

    return check


def _skills(author: Author, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_SKILLS:
        raise InvalidInput(f"A list of at most {MOST_SKILLS} skills is needed.", field="skills")
    name = _text("skills", 60, needed=True)
    return list(dict.fromkeys(name(author, item) for item in value))


def _needs(author: Author, value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > MOST_NEEDS:
        raise InvalidInput(f"A list of at most {MOST_NEEDS} task numbers is needed.", field="needs")
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in value):
        raise InvalidInput("Name tasks by their numbers.", field="needs")
    return sorted(set(value))


CLEANERS: dict[str, Callable[[Author, Any], Any]] = {
    "title": _text("title", 200, needed=True),
    "description": _text("description", 50_000),
    "subtasks": _subtasks,
    "metadata": _metadata,
    "priority": _priority,
    "goal_id": _goal,
    "owner": _holder("owner"),
    "assignee": _holder("assignee"),
    "worker_type": _choice("worker_type", WorkerType.values),
    "skills": _skills,
    "workspace": _choice("workspace", Workspace.values),
    "needs": _needs,
}
