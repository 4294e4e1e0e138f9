"""The address `/mcp`: streamable HTTP without sessions, for tokens and never for a browser's session.

Every request stands alone, so any web process answers any of them. A page elsewhere cannot use it: hosts that are not ours
are refused, which stops rebinding, and so are origins that are not ours.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from accounts.actor import Actor
from accounts.errors import AccountsError
from accounts.rate_limits import TooManyRequests, check_rate
from accounts.services.tokens import authenticate_token
from realtime.threads import in_thread

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PATH = "/mcp"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    429: "Too Many Requests",
}


class _Refused(Exception):
    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


async def mcp_app(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        _check_place(headers, scope)
        if scope["method"] != "POST":
            raise _Refused(405, "This address answers to POST.", Allow="POST")
        actor = await in_thread(_actor, headers, _address(scope))
        manager = (await asyncio.to_thread(importlib.import_module, "agents.mcp.serving.server")).manager_for(
            actor
        )
        async with manager.run():
            await manager.handle_request(scope, receive, _guarded(send))
    except _Refused as refusal:
        await _refuse(send, refusal)


def _check_place(headers: dict[str, str], scope: Scope) -> None:
    """Raise for a host that is not served here, or an origin that is not ours."""
    host = headers.get("host", "")
    domain, _ = split_domain_port(host)
    allowed = settings.ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
    if not domain or not validate_host(domain, allowed):
        raise _Refused(400, "This host is not served here.")
    origin = headers.get("origin")
    if origin is None:
        return
    parts = urlsplit(origin)
    ours = {settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS, f"{scope.get('scheme', 'http')}://{host}"}
    if f"{parts.scheme}://{parts.netloc}" not in ours:
        raise _Refused(403, "This origin is not trusted.")


def _actor(headers: dict[str, str], address: str) -> Actor:
    scheme, _, raw = headers.get("authorization", "").partition(" ")
    try:
        actor = authenticate_token(raw.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            check_rate(f"ip:{address}", limit=settings.SPACEBOT_RATE_ANONYMOUS)
            raise _Refused(401, "Send a token: Authorization: Bearer …", **{"WWW-Authenticate": "Bearer"})
        check_rate(f"token:{actor.token_id}", limit=settings.SPACEBOT_RATE_SIGNED_IN)
    except TooManyRequests as error:
        raise _Refused(429, str(error), **{"Retry-After": str(error.retry_after_s)}) from None
    except AccountsError as error:
        raise _Refused(403, str(error)) from None
    return actor


def _address(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def _guarded(send: Send) -> Send:
    async def guarded(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], *_encoded(HEADERS)]}
        await send(event)

    return guarded


async def _refuse(send: Send, refusal: _Refused) -> None:
    title = WORDS[refusal.status]
    kind = title.lower().replace(" ", "-")
    body = {
        "type": f"urn:spacebot:problem:{kind}",
        "title": title,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    headers = {"Content-Type": "application/problem+json", **HEADERS, **refusal.headers}
    await send({"type": "http.response.start", "status": refusal.status, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
