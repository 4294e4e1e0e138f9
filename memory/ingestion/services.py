"""Writes that people ask for: giving an agent a file, and trying a failed one again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from accounts.actor import Actor
from accounts.boundaries import reach
from accounts.errors import Conflict, InvalidInput
from accounts.models import Person, Role, User
from accounts.services import audit
from accounts.services.people import person_for_user
from memory.ingestion import news, queries, store
from memory.ingestion.agents import check_agent
from memory.ingestion.reader.formats import format_of, media_type_of
from memory.ingestion.reader.refusals import Unreadable
from memory.models import FileState, IngestedFile
from realtime.services import unit_of_work

LEAST_ROLE = Role.MODERATOR
TOO_LARGE = f"It is larger than {store.MAX_BYTES // 1024 // 1024} MB."


@dataclass(frozen=True)
class Accepted:
    """`created` is false when the agent was given the same content for the same audience before."""

    file: IngestedFile
    created: bool


def accept_upload(
    actor: Actor,
    agent_id: int,
    name: str,
    stream: store.Stream,
    *,
    audience: Literal["organization", "person"] = "organization",
) -> Accepted:
    """Take a file for an agent; what it teaches is for everyone, or for the actor alone.

    A file that is known already is not read again, unless it failed. Raises InvalidInput for what is never read.
    """
    actor.check_level(LEAST_ROLE)
    check_agent(actor, agent_id)
    name = clean_name(name)
    try:
        format_of(name)
    except Unreadable as error:
        raise InvalidInput(str(error), field="file") from None
    try:
        stored = store.keep(actor.organization.pk, stream)
    except store.TooLarge:
        raise InvalidInput(TOO_LARGE, field="file") from None
    if not stored.size_bytes:
        raise InvalidInput("The file is empty.", field="file")
    with unit_of_work():
        person = person_for_user(actor.organization, actor.user) if audience == "person" else None
        accepted = enter(
            organization_id=actor.organization.pk,
            agent_id=agent_id,
            stored=stored,
            name=name,
            person=person,
            uploaded_by=actor.user,
        )
        if accepted.created:
            _record(actor, "memory.file_given", accepted.file)
    return accepted


def enter(
    *,
    organization_id: int,
    agent_id: int,
    stored: store.Stored,
    name: str,
    person: Person | None = None,
    uploaded_by: User | None = None,
) -> Accepted:
    """Make the row of a file whose content lies in the store; one that failed before is queued again."""
    reach("ingest.kept")
    with unit_of_work():
        file, created = IngestedFile.objects.select_for_update(of=("self",)).get_or_create(
            organization_id=organization_id,
            agent_id=agent_id,
            digest=stored.digest,
            audience_person=person,
            defaults={
                "name": name,
                "size_bytes": stored.size_bytes,
                "media_type": media_type_of(name),
                "uploaded_by": uploaded_by,
            },
        )
        if file.state == FileState.FAILED:
            _queue(file)
        elif created:
            news.tell(file.pk)
    return Accepted(file, created)


def retry_file(actor: Actor, file_id: int, *, agent_id: int | None = None) -> IngestedFile:
    """Queue a failed file again, as often as somebody asks."""
    actor.check_level(LEAST_ROLE)
    with unit_of_work():
        file = queries.get_file(actor, file_id, agent_id=agent_id, lock=True)
        if file.state != FileState.FAILED:
            raise Conflict("Only a file that failed can be tried again.")
        if not store.path_of(file.organization_id, file.digest).exists() and not file.chunks_total:
            raise Conflict("The file is not kept any more. Upload it again.")
        _queue(file)
        _record(actor, "memory.file_retried", file)
    return file


def clean_name(name: str) -> str:
    """Return a name without folders and control characters, cut in the middle where it is too long."""
    base = os.path.basename(name.replace("\\", "/")).encode(errors="replace").decode()
    plain = "".join(character for character in base if character.isprintable()).strip()
    if not plain or plain in (".", ".."):
        raise InvalidInput("The file needs a name.", field="file")
    return plain if len(plain) <= 200 else f"{plain[:150]}…{plain[-49:]}"


def _queue(file: IngestedFile) -> None:
    file.state = FileState.EXTRACTING if file.chunks_total else FileState.QUEUED
    file.tries, file.reason, file.not_before, file.finished_at = 0, "", None, None
    file.save(update_fields=["state", "tries", "reason", "not_before", "finished_at"])
    news.tell(file.pk)


def _record(actor: Actor, action: str, file: IngestedFile) -> None:
    audit.record(
        actor,
        actor.organization,
        action,
        f"file {file.pk}",
        agent_id=file.agent_id,
        size_bytes=file.size_bytes,
    )
