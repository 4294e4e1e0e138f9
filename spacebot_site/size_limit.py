"""Refuses requests that are too large before anything reads them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from spacebot_site.web.security import EVERYWHERE
from tasks.services.wakes.webhooks import MOST_BYTES

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# What a form with files may hold altogether; what takes a file sets its own, smaller limit.
UPLOAD_BYTES = 26 * 1024 * 1024
HOOKS = "/hooks/"

PROBLEM = {
    "type": "urn:spacebot:problem:content-too-large",
    "title": "Content Too Large",
    "status": 413,
    "detail": "The request is too large.",
}


class _TooLarge(Exception):
    pass


class SizeLimit:
    """Answers 413 by the announced length, or as soon as more has come than is allowed.

    Django would first store a body of any size in a file, and only then look at its length.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        limit = _limit(scope["path"], headers)
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > limit:
            await _refuse(send)
            return
        left, started = limit, False

        async def counted() -> dict[str, Any]:
            nonlocal left
            event = await receive()
            left -= len(event.get("body", b""))
            if left < 0:
                raise _TooLarge
            return event

        async def noted(event: dict[str, Any]) -> None:
            nonlocal started
            started = True
            await send(event)

        try:
            await self.app(scope, counted, noted)
        except _TooLarge:
            if not started:
                await _refuse(send)


def _limit(path: str, headers: dict[bytes, bytes]) -> int:
    if path.startswith(HOOKS):
        return MOST_BYTES
    has_files = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
    return UPLOAD_BYTES if has_files else int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


async def _refuse(send: Send) -> None:
    headers = {"Content-Type": "application/problem+json", "Connection": "close", **EVERYWHERE}
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": json.dumps(PROBLEM).encode()})
