"""Files of an agent over HTTP: upload, list with progress, try again, remove."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Form, Query, Router, Schema, Status, UploadedFile

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from memory.ingestion import queries, services
from memory.ingestion.removal import remove_file
from memory.models import FileState, IngestedFile

router = Router(tags=["memory"])
FILES = "/agents/{agent_id}/files"
ONE = FILES + "/{file_id}"


class FileOut(Schema):
    """`reason` says why it waits or failed, `notice` what of it could not be read."""

    id: int
    agent_id: int
    name: str
    digest: str
    size_bytes: int
    media_type: str
    state: FileState
    audience: Literal["organization", "person"]
    tries: int
    chunks_total: int
    chunks_done: int
    memories: int
    reason: str
    notice: str
    uploaded_by_id: int | None
    created_at: datetime
    finished_at: datetime | None
    known_already: bool = False


class RemovedOut(Schema):
    memories_forgotten: int


def file_payload(file: IngestedFile, *, known_already: bool = False) -> dict[str, Any]:
    return {
        "id": file.pk,
        "agent_id": file.agent_id,
        "name": file.name,
        "digest": file.digest,
        "size_bytes": file.size_bytes,
        "media_type": file.media_type,
        "state": file.state,
        "audience": "person" if file.audience_person_id else "organization",
        "tries": file.tries,
        "chunks_total": file.chunks_total,
        "chunks_done": file.chunks_done,
        "memories": file.memories,
        "reason": file.reason,
        "notice": file.notice,
        "uploaded_by_id": file.uploaded_by_id,
        "created_at": file.created_at,
        "finished_at": file.finished_at,
        "known_already": known_already,
    }


@router.get(FILES, response=Page[FileOut], auth=Needs("memory:read"))
def list_files(
    request: HttpRequest,
    agent_id: Id,
    state: Annotated[list[FileState], Query()] = [],  # noqa: B006  read, never changed
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """List what an agent was given to read, newest first, with how far that has come."""
    rows = queries.list_files(
        actor_of(request), agent_id, states=state, before_id=read_cursor(cursor), limit=limit + 1
    )
    return page(rows, limit=limit, payload=file_payload, cursor=lambda row: row.pk)


@router.post(FILES, response={200: FileOut, 201: FileOut}, auth=Needs("memory:write"))
def upload_file(
    request: HttpRequest,
    agent_id: Id,
    file: Annotated[UploadedFile, File()],
    audience: Annotated[Literal["organization", "person"], Form()] = "organization",
) -> Status[Any]:
    """Give an agent a file to learn from; `person` keeps what it teaches to yourself. Moderators and above."""
    accepted = services.accept_upload(actor_of(request), agent_id, file.name or "", file, audience=audience)
    shown = file_payload(accepted.file, known_already=not accepted.created)
    return Status(201 if accepted.created else 200, shown)


@router.get(ONE, response=FileOut, auth=Needs("memory:read"))
def get_file(request: HttpRequest, agent_id: Id, file_id: Id) -> dict[str, Any]:
    return file_payload(queries.get_file(actor_of(request), file_id, agent_id=agent_id))


@router.delete(ONE, response=RemovedOut, auth=Needs("memory:write"))
def delete_file(request: HttpRequest, agent_id: Id, file_id: Id, forget: bool = False) -> dict[str, int]:
    """Remove a file; `forget` forgets everything it taught as well, each memory restorable.

    Moderators and above, and for a file kept to one person that person.
    """
    forgotten = remove_file(actor_of(request), file_id, agent_id=agent_id, forget=forget)
    return {"memories_forgotten": forgotten}


@router.post(ONE + "/retry", response=FileOut, auth=Needs("memory:write"))
def retry_file(request: HttpRequest, agent_id: Id, file_id: Id) -> dict[str, Any]:
    """Queue a failed file again."""
    return file_payload(services.retry_file(actor_of(request), file_id, agent_id=agent_id))
