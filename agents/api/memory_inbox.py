"""Contradictions and merges that wait for a person, over HTTP."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from memory import queries
from memory.api import InboxOut, ResolutionIn, inbox_payload
from memory.services.inbox import resolve

router = Router(tags=["memory"])


@router.get("/memories/inbox", response=Page[InboxOut], auth=Needs("memory:read"))
def list_inbox(
    request: HttpRequest, agent_id: Id | None = None, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """What is open, newest first; only where you may read both sides."""
    actor = actor_of(request)
    rows = queries.list_inbox(actor, agent_id=agent_id, before_id=read_cursor(cursor), limit=limit + 1)
    return page(rows, limit=limit, payload=lambda row: inbox_payload(actor, row), cursor=lambda row: row.pk)


@router.get("/memories/inbox/{item_id}", response=InboxOut, auth=Needs("memory:read"))
def get_item(request: HttpRequest, item_id: Id) -> dict[str, Any]:
    """One pair, open or decided."""
    actor = actor_of(request)
    return inbox_payload(actor, queries.get_inbox_item(actor, item_id))


@router.post("/memories/inbox/{item_id}/resolve", response=InboxOut, auth=Needs("memory:write"))
def resolve_item(request: HttpRequest, item_id: Id, body: ResolutionIn) -> dict[str, Any]:
    """Keep one of the two, both, or merge them into `content`."""
    actor = actor_of(request)
    return inbox_payload(actor, resolve(actor, item_id, resolution=body.resolution, content=body.content))
