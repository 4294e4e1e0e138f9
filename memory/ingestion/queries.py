"""Reads. The actor comes first; a file meant for one person is theirs alone, whatever the role of others."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Max, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from memory.ingestion.agents import check_agent
from memory.models import IngestedFile


def files_of(actor: Actor) -> QuerySet[IngestedFile]:
    """Return the files whose memories the actor may hear."""
    audible = Q(audience_person=None) | Q(audience_person__user_id=actor.user.pk)
    return IngestedFile.objects.filter(audible, organization=actor.organization)


def get_file(actor: Actor, file_id: int, *, agent_id: int | None = None, lock: bool = False) -> IngestedFile:
    """Return a file; with `agent_id`, only if it was given to that agent."""
    rows = files_of(actor).select_related("uploaded_by")
    if lock:
        rows = rows.select_for_update(of=("self",))
    if agent_id is not None:
        rows = rows.filter(agent_id=agent_id)
    file = rows.filter(pk=file_id).first()
    if file is None:
        raise NotFound("There is no such file.")
    return file


def list_files(
    actor: Actor,
    agent_id: int,
    *,
    states: Collection[str] = (),
    before_id: int | None = None,
    limit: int = 50,
) -> list[IngestedFile]:
    """Return an agent's files, newest first; `before_id` continues a page."""
    check_agent(actor, agent_id)
    rows = files_of(actor).filter(agent_id=agent_id).select_related("uploaded_by")
    if states:
        rows = rows.filter(state__in=states)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows.order_by("-pk")[:limit])


def count_by_state(actor: Actor, agent_id: int) -> dict[str, int]:
    rows = files_of(actor).filter(agent_id=agent_id)
    return dict(rows.order_by().values_list("state").annotate(count=Count("pk")))


def latest_by_agent(actor: Actor) -> dict[int, int]:
    """Return each agent's newest file."""
    return dict(files_of(actor).order_by().values_list("agent_id").annotate(newest=Max("pk")))
