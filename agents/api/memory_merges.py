"""Merging memories that say the same, and taking a merge back, over HTTP."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from agents.queries import get_agent
from memory import queries
from memory.api import MemoryOut, MergedOut, MergesIn, memory_payload, merged_payload
from memory.services.consolidation import Merge
from memory.services.merging import merge_memories, undo_merge

router = Router(tags=["memory"])
MERGES = "/memories/merges"


@router.get(MERGES, response=Page[MergedOut], auth=Needs("memory:read"))
def list_merges(
    request: HttpRequest,
    agent_id: Id | None = None,
    survivor_id: Id | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Merges into memories you may read, newest first."""
    rows = queries.list_consolidations(
        actor_of(request),
        agent_id=agent_id,
        survivor_id=survivor_id,
        before_id=read_cursor(cursor),
        limit=limit + 1,
    )
    return page(rows, limit=limit, payload=merged_payload, cursor=lambda row: row.pk)


@router.post(MERGES, response={201: list[MergedOut]}, auth=Needs("memory:write"))
def create_merges(request: HttpRequest, body: MergesIn) -> Status[list[dict[str, Any]]]:
    """Merge, all or nothing. What is merged shares agent, type and audience."""
    actor = actor_of(request)
    merges = [Merge(each.survivor_id, frozenset(each.absorbed_ids), each.content) for each in body.merges]
    done = merge_memories(actor, agent_id=get_agent(actor, body.agent_id).pk, merges=merges)
    return Status(201, [merged_payload(each) for each in done])


@router.post(f"{MERGES}/{{merge_id}}/undo", response=MemoryOut, auth=Needs("memory:write"))
def undo(request: HttpRequest, merge_id: Id) -> dict[str, Any]:
    """Take a merge back and return the memory that had survived. Twice changes nothing."""
    actor = actor_of(request)
    return memory_payload(actor, undo_merge(actor, merge_id))
