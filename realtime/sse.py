"""The same events as `text/event-stream`, for clients without WebSockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from django.http import StreamingHttpResponse

from realtime.access import Viewer
from realtime.stream import HEARTBEAT, AccessEnded, stream

RETRY_MS = 2_000


def event_stream(viewer: Viewer, *, after: int | None, conversation_id: int | None) -> StreamingHttpResponse:
    """Return a response that never ends by itself. Stored events carry their number as `id`."""
    response = StreamingHttpResponse(_lines(viewer, after, conversation_id), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _lines(viewer: Viewer, after: int | None, conversation_id: int | None) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    try:
        async with aclosing(stream(viewer, after=after, conversation_id=conversation_id)) as items:
            async for item in items:
                if item.kind == HEARTBEAT:
                    yield ": heartbeat\n\n"
                    continue
                number = "" if item.number is None else f"id: {item.number}\n"
                yield f"{number}data: {item.text}\n\n"
    except AccessEnded:
        yield 'data: {"id": null, "kind": "access_ended", "payload": {}}\n\n'
