"""Files of a conversation over HTTP: uploaded before the message that sends them, listed, downloaded."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Router, Status, UploadedFile

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from messaging.api import AttachmentOut
from messaging.attachments import queries, services
from messaging.attachments.download import as_download

router = Router(tags=["messages"])
FILES = "/conversations/{conversation_id}/attachments"
ONE = FILES + "/{attachment_id}"


@router.get(FILES, response=Page[AttachmentOut], auth=Needs("conversations:read"))
def list_attachments(
    request: HttpRequest, conversation_id: Id, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """List the files that were sent in a conversation, newest first."""
    rows = queries.list_attachments(
        actor_of(request), conversation_id, before_id=read_cursor(cursor), limit=limit + 1
    )
    return page(rows, limit=limit, payload=services.attachment_payload, cursor=lambda row: row.pk)


@router.post(FILES, response={201: AttachmentOut}, auth=Needs("conversations:write"))
def upload_attachment(
    request: HttpRequest, conversation_id: Id, file: Annotated[UploadedFile, File()]
) -> Status[Any]:
    """Upload a file, of 25 MB at most, for a message that names its id; unsent ones are removed after a day."""
    stored = services.upload(actor_of(request), conversation_id, name=file.name or "", stream=file)
    return Status(201, services.attachment_payload(stored))


@router.get(
    ONE,
    auth=Needs("conversations:read"),
    openapi_extra={
        "responses": {
            200: {
                "description": "OK",
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
    },
)
def download_attachment(request: HttpRequest, conversation_id: Id, attachment_id: Id) -> HttpResponse:
    """Download a file; it is always sent as one to save, never as one to show."""
    return as_download(queries.get_attachment(actor_of(request), conversation_id, attachment_id))


@router.delete(ONE, response={204: None}, auth=Needs("conversations:write"))
def remove_attachment(request: HttpRequest, conversation_id: Id, attachment_id: Id) -> Status[None]:
    """Remove a file that you uploaded and have not sent."""
    services.remove_unsent(actor_of(request), conversation_id, attachment_id)
    return Status(204, None)
