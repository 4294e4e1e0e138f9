"""Who opens a WebSocket: a bearer token, or a session from an origin we trust."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from accounts.auth import actor_for_request, bearer_token
from accounts.errors import AccountsError, Forbidden, InvalidInput
from realtime.access import Viewer, viewer_for

SUBPROTOCOL = "bearer."


def open_request(scope: dict[str, Any]) -> tuple[HttpRequest, str | None]:
    """Return the handshake as a request with session and user, and the subprotocol to confirm.

    Browsers cannot send an Authorization header with a WebSocket; they may offer the subprotocol
    `bearer.<token>` instead.
    """
    request = ASGIRequest({**scope, "type": "http", "method": "GET"}, BytesIO())
    offered = [name for name in scope.get("subprotocols", []) if name.startswith(SUBPROTOCOL)]
    if offered:
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {offered[0].removeprefix(SUBPROTOCOL)}"
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.user = get_user(request)
    return request, offered[0] if offered else None


def find_viewer(request: HttpRequest) -> Viewer | None:
    """Return who may listen; None if nobody is known. Raises AccountsError for one who may not."""
    by_token = bearer_token(request) is not None
    if not by_token and not is_trusted_origin(request):
        raise Forbidden("This origin may not open event streams.")
    actor = actor_for_request(request)
    if actor is None:
        return None
    return viewer_for(actor, session_key=None if by_token else request.session.session_key)


def read_number(request: HttpRequest, name: str) -> int | None:
    """Return a whole number from the query string; None if it is not there."""
    raw = request.GET.get(name, "")
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):
        raise InvalidInput(f"{name} must be a whole number.", field=name)
    return int(raw)


def is_trusted_origin(request: HttpRequest) -> bool:
    """Say whether the Origin header names this site or one of CSRF_TRUSTED_ORIGINS."""
    origin = request.headers.get("Origin")
    if not origin:
        return True
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        return urlsplit(origin).netloc == request.get_host()
    except (DisallowedHost, ValueError):
        return False


def enter(scope: dict[str, Any]) -> tuple[Viewer, int | None, int | None, str | None] | None:
    """Return viewer, `after`, conversation and subprotocol of a WebSocket handshake; None refuses it."""
    try:
        request, subprotocol = open_request(scope)
        request.get_host()
        viewer = find_viewer(request)
        if viewer is None:
            return None
        return viewer, read_number(request, "after"), read_number(request, "conversation_id"), subprotocol
    except (AccountsError, DisallowedHost):
        return None
