"""A sign-in that waits for a person, shared by all processes through the cache: who began it, where it goes on, the answer.

It belongs to the administrator who began it: an answer that another browser brings is not taken.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.cache import cache

from accounts.actor import Actor
from accounts.errors import InvalidInput, NotFound
from agents.mcp.spec import Spec
from realtime.services import NewEvent, record

ANSWER_WITHIN_S = 300
LONGEST = 4_000


def begin(spec: Spec, user_id: int, url: str) -> str:
    """Remember where the person has to go on; return the state that the answer must carry."""
    parts = urlsplit(url)
    state = parse_qs(parts.query).get("state", [""])[0]
    if parts.scheme not in ("https", "http") or not parts.hostname or not state or len(url) > LONGEST:
        raise ValueError("the server sends people to an address that is none")
    flow = {
        "server_id": spec.server_id,
        "organization_id": spec.organization_id,
        "user_id": user_id,
        "url": url,
    }
    cache.set(_key("flow", state), flow, ANSWER_WITHIN_S)
    cache.set(_key("open", f"{spec.server_id} {user_id}"), url, ANSWER_WITHIN_S)
    record(spec.organization_id, NewEvent("mcp.changed", {"server_id": spec.server_id}))
    return state


def open_flow(actor: Actor, server_id: int) -> str:
    """Return the address where the actor has to go on with a sign-in of theirs; empty when there is none."""
    return str(cache.get(_key("open", f"{server_id} {actor.user.pk}")) or "")


def answer(actor: Actor, *, state: str, code: str, iss: str | None, error: str) -> int:
    """Take what the browser brought back, once; return the server's id. Raises NotFound and InvalidInput."""
    flow: dict[str, Any] | None = cache.get(_key("flow", state)) if state else None
    if flow is None or (flow["user_id"], flow["organization_id"]) != (actor.user.pk, actor.organization.pk):
        raise NotFound("There is no such sign-in, or it took too long. Begin again.")
    cache.delete_many([_key("flow", state), _key("open", f"{flow['server_id']} {actor.user.pk}")])
    if error or not code or len(code) > LONGEST:
        raise InvalidInput(f"It was not agreed to: {error[:200] or 'there is no code'}.")
    cache.set(_key("answer", state), {"code": code, "iss": iss}, ANSWER_WITHIN_S)
    return int(flow["server_id"])


def take_answer(state: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = cache.get(_key("answer", state))
    if found is not None:
        cache.delete(_key("answer", state))
    return found


def _key(what: str, name: str) -> str:
    return f"mcp-sign-in:{what}:{hashlib.sha256(name.encode()).hexdigest()}"
