"""The table of memories: filtered, sorted, and continued after a row, for the page and the API alike."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q, QuerySet

from accounts.actor import Actor
from memory.models import Memory
from memory.queries import MAX_PAGE, memories_of

State = Literal["live", "forgotten", "superseded", "all"]
Sort = Literal["newest", "oldest", "importance", "used"]

# By what a sort goes, and whether it falls; ids, which never repeat, settle the rest.
SORTS: dict[Sort, tuple[str, bool]] = {
    "newest": ("pk", True),
    "oldest": ("pk", False),
    "importance": ("importance", True),
    "used": ("access_count", True),
}


@dataclass(frozen=True)
class Wanted:
    """What a list keeps. `search` asks for all its words, stemmed; `person_id` for what a person said or is about."""

    agent_id: int | None = None
    types: Collection[str] = ()
    search: str = ""
    audience: str = ""
    source: str = ""
    file_id: int | None = None
    about_id: int | None = None
    person_id: int | None = None
    pinned: bool | None = None
    state: State = "live"
    since: datetime | None = None
    until: datetime | None = None


def list_memories(
    actor: Actor,
    wanted: Wanted = Wanted(),
    *,
    sort: Sort = "newest",
    after_id: int | None = None,
    limit: int = 50,
) -> list[Memory]:
    """Return memories the actor may read; `after_id` continues after that row in the same order."""
    found = _keep(memories_of(actor), wanted)
    field, falls = SORTS[sort]
    if after_id is not None:
        found = _after(actor, found, field, falls, after_id)
    order = [f"-{field}" if falls else field] + ([] if field == "pk" else ["-pk"])
    return list(found.order_by(*order)[: max(1, min(limit, MAX_PAGE))])


def _keep(found: QuerySet[Memory], wanted: Wanted) -> QuerySet[Memory]:
    exact = {
        "agent_id": wanted.agent_id,
        "type__in": wanted.types or None,
        "audience": wanted.audience or None,
        "source": wanted.source or None,
        "file_id": wanted.file_id,
        "about_id": wanted.about_id,
        "pinned": wanted.pinned,
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value is not None})
    if wanted.person_id is not None:
        found = found.filter(Q(person=wanted.person_id) | Q(about=wanted.person_id))
    if wanted.state == "live":
        found = found.filter(forgotten_at=None, superseded_at=None)
    elif wanted.state != "all":
        found = found.filter(**{f"{wanted.state}_at__isnull": False})
    if wanted.search.strip():
        found = found.extra(where=["words @@ plainto_tsquery('english', %s)"], params=[wanted.search])
    return found


def _after(actor: Actor, found: QuerySet[Memory], field: str, falls: bool, after_id: int) -> QuerySet[Memory]:
    if field == "pk":
        return found.filter(**{f"pk__{'lt' if falls else 'gt'}": after_id})
    last = memories_of(actor).filter(pk=after_id).values_list(field, flat=True).first()
    if last is None:
        return found.none()
    return found.filter(Q(**{f"{field}__lt": last}) | Q(**{field: last, "pk__lt": after_id}))
