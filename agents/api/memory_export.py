"""Taking along what agents know, over HTTP: one memory a line, read in pages, so that any number of them fits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router
from pydantic import AwareDatetime

from accounts.actor import Actor
from accounts.api_basics import Id, Needs, actor_of
from accounts.services import audit
from memory.api import memory_payloads
from memory.listing import State, Wanted, list_memories
from memory.models import Audience, MemoryType, Source
from realtime.threads import in_thread

router = Router(tags=["memory"])
PAGE = 200


@router.get(
    "/memories/export",
    auth=Needs("memory:read"),
    openapi_extra={
        "responses": {
            200: {"description": "OK", "content": {"application/jsonl": {"schema": {"type": "string"}}}}
        }
    },
)
def export_memories(
    request: HttpRequest,
    search: str = "",
    agent_id: Id | None = None,
    type: Annotated[list[MemoryType], Query()] = [],  # noqa: B006  read, never changed
    audience: Audience | None = None,
    source: Source | None = None,
    file_id: Id | None = None,
    person_id: Id | None = None,
    pinned: bool | None = None,
    state: State = "live",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> StreamingHttpResponse:
    """All that you may hear and that passes the filters of the list, newest first: JSON lines, each a memory. Audited."""
    actor = actor_of(request)
    filters = Wanted(
        agent_id=agent_id,
        types=type,
        search=search,
        audience=audience or "",
        source=source or "",
        file_id=file_id,
        person_id=person_id,
        pinned=pinned,
        state=state,
        since=since,
        until=until,
    )
    usual = vars(Wanted(types=[]))
    narrowed = sorted(name for name, value in vars(filters).items() if value != usual[name])
    audit.record(actor, actor.organization, "memory.exported", narrowed_by=narrowed)
    response = StreamingHttpResponse(_lines(actor, filters), content_type="application/jsonl")
    response["Content-Disposition"] = 'attachment; filename="memories.jsonl"'
    return response


async def _lines(actor: Actor, filters: Wanted) -> AsyncIterator[bytes]:
    before: int | None = None
    while page := await in_thread(_page, actor, filters, before):
        yield "".join(f"{line}\n" for _, line in page).encode()
        before = page[-1][0]


def _page(actor: Actor, filters: Wanted, before: int | None) -> list[tuple[int, str]]:
    """Return the next memories with their ids. Each page asks anew what the actor may hear."""
    rows = list_memories(actor, filters, after_id=before, limit=PAGE)
    return [
        (row["id"], json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False))
        for row in memory_payloads(actor, rows)
    ]
