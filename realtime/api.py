"""Events over HTTP: as a stream that stays open, and as pages of history."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router, Schema

from accounts.actor import Actor
from accounts.api_basics import Id, Limit, Needs, Page, actor_of, authenticate, read_cursor
from accounts.auth import bearer_token
from realtime import queries
from realtime.access import READ_SCOPE, viewer_for
from realtime.handshake import read_number
from realtime.sse import event_stream
from realtime.threads import in_thread

router = Router()


class NeedsFromCoroutine(Needs):
    """The same check for asynchronous operations; its database work happens in a thread."""

    is_async = True

    async def __call__(self, request: HttpRequest) -> Actor:  # type: ignore[override]
        return await in_thread(authenticate, request, self.scope)


class EventOut(Schema):
    id: int
    kind: str
    conversation_id: int | None
    at: str
    payload: dict[str, Any]


@router.get("/events/history", response=Page[EventOut], auth=Needs(READ_SCOPE))
def list_events(
    request: HttpRequest,
    after: str | None = None,
    cursor: str | None = None,
    conversation_id: Id | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Stored events that you may see, oldest first, from after a number on."""
    frames, following = queries.list_events(
        actor_of(request),
        after=read_cursor(cursor) or read_cursor(after) or 0,
        limit=limit,
        conversation_id=conversation_id,
    )
    items = [json.loads(frame.text) for frame in frames]
    return {"items": items, "next": None if following is None else str(following)}


@router.get(
    "/events",
    auth=NeedsFromCoroutine(READ_SCOPE),
    openapi_extra={
        "responses": {
            200: {"description": "OK", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        }
    },
)
async def stream_events(
    request: HttpRequest, after: str | None = None, conversation_id: Id | None = None
) -> StreamingHttpResponse:
    """Events as they happen, as `text/event-stream`; a WebSocket at the same address carries the same.

    `after` (or Last-Event-ID) replays what came after that number first.
    """
    last = request.headers.get("Last-Event-ID", "")
    number = (
        int(last) if last.isascii() and last.isdigit() and len(last) <= 18 else read_number(request, "after")
    )
    by_token = bearer_token(request) is not None
    key = None if by_token else request.session.session_key
    viewer = viewer_for(actor_of(request), session_key=key)
    return event_stream(viewer, after=number, conversation_id=conversation_id)
