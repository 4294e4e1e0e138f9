"""Checking what is written into a goal, field by field, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection

from accounts.errors import InvalidInput
from accounts.models import Membership
from tasks import visibility
from tasks.authors import Author
from tasks.errors import Cycle
from tasks.models import Authority, Priority
from tasks.services.changes import lock_graph

REACHES = """
with recursive above as (
    select parent_id from tasks_goal where id = %s
    union
    select g.parent_id from tasks_goal g join above a on g.id = a.parent_id)
select exists (select 1 from above where parent_id = %s)
"""


def check_parent(author: Author, goal_id: int | None, parent_id: int | None) -> None:
    """Raise unless the parent can be one; holds the tree, so that two writers make no cycle."""
    lock_graph(author.organization_id)
    if parent_id is None:
        return
    if not visibility.goals(author).filter(pk=parent_id).exists():
        raise InvalidInput("There is no such goal.", field="parent_id")
    with connection.cursor() as cursor:
        cursor.execute(REACHES, [parent_id, goal_id])
        if parent_id == goal_id or cursor.fetchone()[0]:
            raise Cycle("A goal cannot serve itself, directly or not.")


def clean_goal(author: Author, changes: dict[str, Any], *, goal_id: int) -> dict[str, Any]:
    """Return changes of a goal by its columns, checked."""
    cleaned = clean(author, changes)
    if "parent_id" in cleaned:
        check_parent(author, goal_id, cleaned["parent_id"])
    return cleaned


def clean(author: Author, changes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in changes.items():
        if field not in CLEANERS:
            raise InvalidInput("This cannot be changed.", field=field)
        column, check = CLEANERS[field]
        found[column] = check(author, value)
    return found


def _text(field: str, most: int, *, needed: bool = False) -> Callable[[Author, Any], str]:
    def check(author: Author, value: Any) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise InvalidInput("This must be text.", field=field)
        text = " ".join(value.split()) if needed else value.strip()
        if needed and not text:
            raise InvalidInput("A goal needs a title.", field=field)
        if len(text) > most:
            raise InvalidInput(f"This is too long: {most:,} characters at most.", field=field)
        return text

    return check


def _priority(author: Author, value: Any) -> int:
    found = Priority.named(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidInput("The priority is critical, high, medium or low.", field="priority")
    return int(found)


def _day(author: Author, value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise InvalidInput("Write the day as 2027-03-31.", field="due_on") from None


def _authority(author: Author, value: Any) -> str:
    if value not in Authority.values:
        raise InvalidInput("The authority is propose, prepare or execute.", field="authority")
    return str(value)


def _owner(author: Author, value: Any) -> int | None:
    known = Membership.objects.filter(organization_id=author.organization_id, user_id=value)
    if value is not None and not known.exists():
        raise InvalidInput("There is no such member.", field="owner_id")
    return int(value) if value is not None else None


def _parent(author: Author, value: Any) -> int | None:
    return int(value) if value is not None else None


CLEANERS: dict[str, tuple[str, Callable[[Author, Any], Any]]] = {
    "title": ("title", _text("title", 200, needed=True)),
    "description": ("description", _text("description", 20_000)),
    "notes": ("notes", _text("notes", 10_000)),
    "priority": ("priority", _priority),
    "due_on": ("due_on", _day),
    "authority": ("authority", _authority),
    "owner_id": ("owner_user_id", _owner),
    "parent_id": ("parent_id", _parent),
}
