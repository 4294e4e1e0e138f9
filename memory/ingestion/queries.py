"""Reads. The actor comes first; a file meant for one person is theirs alone, whatever the role of others."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from memory.ingestion.agents import check_agent
from memory.models import IngestedFile


def files_of(actor: Actor) -> QuerySet[IngestedFile]:
    """Return the files whose memories the actor may hear."""
    audible = Q(audience_person=None) | Q(audience_person__user_id=actor.user.pk)
    return IngestedFile.objects.filter(audible, organization=actor.organization)


def get_file(actor: Actor, file_id: int, *, agent_id: int, lock: bool = False) -> IngestedFile:
    rows = files_of(actor)
    if lock:
        rows = rows.select_for_update(of=("self",))
    file = rows.filter(pk=file_id, agent_id=agent_id).first()
    if file is None:
        raise NotFound("There is no such file.")
    return file


def list_files(
    actor: Actor, agent_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[IngestedFile]:
    """Return an agent's files, newest first; `before_id` continues a page."""
    check_agent(actor, agent_id)
    rows = files_of(actor).filter(agent_id=agent_id).select_related("uploaded_by")
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows.order_by("-pk")[:limit])
