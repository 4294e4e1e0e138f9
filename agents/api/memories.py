"""What agents know, over HTTP. You see what you may hear; nothing else exists."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import AwareDatetime, Field

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from agents.queries import get_agent
from memory import listing, queries
from memory.api import (
    AudienceChange,
    EdgeIn,
    EdgeOut,
    GraphOut,
    MemoryIn,
    MemoryOut,
    MemoryPatch,
    MemoryWhole,
    ReasonIn,
    RecalledOut,
    SavedOut,
    edge_payload,
    edit_payload,
    memory_payload,
    memory_payloads,
    node_payload,
    recalled_payload,
    saved_payload,
)
from memory.listeners import listeners_for
from memory.listing import Sort, State, Wanted
from memory.models import Audience, Memory, MemoryType, Relation, Source
from memory.recall import recall
from memory.services import editing
from memory.services.erasure import erase_memory

router = Router(tags=["memory"])
READ, WRITE = "memory:read", "memory:write"
ONE = "/memories/{memory_id}"


@router.get("/memories", response=Page[MemoryOut], auth=Needs(READ))
def list_memories(
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
    sort: Sort = "newest",
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Newest first, unless `sort` says otherwise.

    `search` asks for all its words; `person_id` keeps what that person said or what is about them; `since` and `until`
    when it was learned.
    """
    actor = actor_of(request)
    wanted = Wanted(
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
    rows = listing.list_memories(actor, wanted, sort=sort, after_id=read_cursor(cursor), limit=limit + 1)
    payloads = {row["id"]: row for row in memory_payloads(actor, rows)}
    return page(rows, limit=limit, payload=lambda row: payloads[row.pk], cursor=lambda row: row.pk)


@router.get("/memories/search", response=list[RecalledOut], auth=Needs(READ))
def search_memories(
    request: HttpRequest,
    query: Annotated[str, Field(max_length=4_000)],
    agent_id: Id,
    type: Annotated[list[MemoryType], Query()] = [],  # noqa: B006  read, never changed
    person_id: Id | None = None,
    limit: Annotated[int, Field(ge=1, le=50)] = 10,
) -> list[dict[str, Any]]:
    """Recall as the agent does it, best first, with you alone listening."""
    actor = actor_of(request)
    found = recall(
        query,
        organization_id=actor.organization.pk,
        agent_id=get_agent(actor, agent_id).pk,
        listeners=listeners_for(actor),
        limit=limit,
        types=type,
        person_id=person_id,
    )
    return [recalled_payload(each) for each in found]


@router.get("/memories/graph", response=GraphOut, auth=Needs(READ))
def graph(
    request: HttpRequest,
    agent_id: Id,
    around: Id | None = None,
    limit: Annotated[int, Field(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """The most important memories and the edges among them, or one memory (`around`) and its neighbours."""
    actor = actor_of(request)
    agent = get_agent(actor, agent_id)
    nodes, edges = queries.list_graph(actor, agent_id=agent.pk, around=around, limit=limit)
    return {"nodes": [node_payload(node) for node in nodes], "edges": [edge_payload(edge) for edge in edges]}


@router.post("/memories", response={200: SavedOut, 201: SavedOut}, auth=Needs(WRITE))
def create_memory(request: HttpRequest, body: MemoryIn) -> Status[dict[str, Any]]:
    """Enter a memory by hand. 200 means that nothing was stored: the very same, or nearly the same, is known."""
    actor = actor_of(request)
    saved = editing.create_memory(
        actor,
        agent_id=get_agent(actor, body.agent_id).pk,
        heard_by=body.heard_by(),
        **body.dict(include={"type", "content", "importance", "pinned", "about_id", "even_if_similar"}),
    )
    return Status(201 if saved.created else 200, saved_payload(actor, saved))


@router.get(ONE, response=MemoryWhole, auth=Needs(READ))
def get_memory(request: HttpRequest, memory_id: Id) -> dict[str, Any]:
    """One memory with its edges, what it said before, and where it comes from."""
    actor = actor_of(request)
    memory = queries.get_memory(actor, memory_id)
    return {
        **memory_payload(actor, memory),
        "edges": [edge_payload(edge) for edge in queries.list_edges(actor, [memory.pk])],
        "edits": [edit_payload(edit) for edit in queries.list_edits(actor, memory.pk)],
    }


@router.patch(ONE, response=MemoryOut, auth=Needs(WRITE))
def edit_memory(request: HttpRequest, memory_id: Id, body: MemoryPatch) -> dict[str, Any]:
    """Correct, weigh, pin or unpin. What it said before is kept."""
    return _shown(request, editing.edit_memory(actor_of(request), memory_id, **body.dict(exclude_unset=True)))


@router.delete(ONE, response={204: None}, auth=Needs(WRITE))
def delete_memory(request: HttpRequest, memory_id: Id) -> Status[None]:
    """Erase it for good, with what it said before. To take it out of recall, forget it: that can be taken back."""
    erase_memory(actor_of(request), memory_id)
    return Status(204, None)


@router.post(f"{ONE}/forget", response=MemoryOut, auth=Needs(WRITE))
def forget_memory(request: HttpRequest, memory_id: Id, body: ReasonIn) -> dict[str, Any]:
    """Take it out of recall. It can be restored."""
    return _shown(request, editing.forget_memory(actor_of(request), memory_id, reason=body.reason))


@router.post(f"{ONE}/restore", response=MemoryOut, auth=Needs(WRITE))
def restore_memory(request: HttpRequest, memory_id: Id) -> dict[str, Any]:
    return _shown(request, editing.restore_memory(actor_of(request), memory_id))


@router.put(f"{ONE}/audience", response=MemoryOut, auth=Needs(WRITE))
def change_audience(request: HttpRequest, memory_id: Id, body: AudienceChange) -> dict[str, Any]:
    """Let others hear it, or fewer; only a moderator opens it to the organization."""
    actor = actor_of(request)
    return _shown(request, editing.change_audience(actor, memory_id, body.heard_by(), reason=body.reason))


@router.get(f"{ONE}/associations", response=list[EdgeOut], auth=Needs(READ))
def list_associations(request: HttpRequest, memory_id: Id) -> list[dict[str, Any]]:
    actor = actor_of(request)
    memory = queries.get_memory(actor, memory_id)
    return [edge_payload(edge) for edge in queries.list_edges(actor, [memory.pk])]


@router.post(f"{ONE}/associations", response={201: EdgeOut}, auth=Needs(WRITE))
def associate(request: HttpRequest, memory_id: Id, body: EdgeIn) -> Status[dict[str, Any]]:
    """Draw an edge to another memory; drawn again, it takes the new weight."""
    edge = editing.associate(
        actor_of(request), memory_id, body.target_id, relation=body.relation, weight=body.weight
    )
    return Status(201, edge_payload(edge))


@router.delete(f"{ONE}/associations/{{target_id}}/{{relation}}", response={204: None}, auth=Needs(WRITE))
def dissociate(request: HttpRequest, memory_id: Id, target_id: Id, relation: Relation) -> Status[None]:
    """Remove an edge. One that is not there is removed already."""
    editing.dissociate(actor_of(request), memory_id, target_id, relation=relation)
    return Status(204, None)


def _shown(request: HttpRequest, memory: Memory) -> dict[str, Any]:
    return memory_payload(actor_of(request), memory)
