"""Working memory over HTTP: what an agent would be told now and why, what happened, and how it was summed up."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from agents import working_queries as queries
from agents.context.memory_mode import memory_mode
from agents.models import EventType, Synthesis, SynthesisKind, WorkingEvent
from memory.models import Audience

router = Router(tags=["memory"])
READ = "memory:read"


class LineOut(Schema):
    """One thing a layer tells, or leaves out (`told` is false), and why."""

    text: str
    why: str
    told: bool


class LayerOut(Schema):
    """`used` and `budget` count `unit`; without a budget, everything is told."""

    number: int
    name: str
    text: str
    tokens: int
    used: int
    budget: int | None
    unit: Literal["tokens", "words"]
    lines: list[LineOut]


class WorkingMemoryOut(Schema):
    conversation_id: int
    agent_id: int
    mode: Literal["full", "ambient", "off"]
    layers: list[LayerOut]


class HeardOut(Schema):
    id: int
    agent_id: int
    audience: Audience
    audience_conversation_id: int | None
    audience_person_id: int | None
    day: date
    created_at: datetime


class WorkingEventOut(HeardOut):
    """`conversation_id` and `run_id` tell where it happened, to those who take part there."""

    type: EventType
    summary: str
    detail: str
    importance: float
    conversation_id: int | None
    person_id: int | None
    run_id: int | None
    synthesis_id: int | None


class SynthesisOut(HeardOut):
    kind: SynthesisKind
    text: str
    event_count: int
    from_at: datetime
    to_at: datetime
    run_id: int | None
    rolled_into_id: int | None


@router.get("/conversations/{conversation_id}/working-memory", response=WorkingMemoryOut, auth=Needs(READ))
def get_working_memory(request: HttpRequest, conversation_id: Id) -> dict[str, Any]:
    """What the agent would be told now in this conversation, layer by layer, and why."""
    conversation, layers = queries.get_layers(actor_of(request), conversation_id)
    return {
        "conversation_id": conversation.pk,
        "agent_id": conversation.agent_id,
        "mode": memory_mode(conversation),
        "layers": layers,
    }


@router.get("/agents/{agent_id}/events", response=Page[WorkingEventOut], auth=Needs(READ))
def list_events(
    request: HttpRequest,
    agent_id: Id,
    type: EventType | None = None,
    day: date | None = None,
    conversation_id: Id | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """What happened lately, newest first, as far as you may hear it."""
    actor = actor_of(request)
    rows = queries.list_events(
        actor,
        agent_id,
        type=type,
        day=day,
        conversation_id=conversation_id,
        before_id=read_cursor(cursor),
        limit=limit + 1,
    )
    rooms = queries.known_rooms(actor, (row.conversation_id for row in rows))
    return page(rows, limit=limit, payload=lambda row: event_payload(row, rooms), cursor=lambda row: row.pk)


@router.get("/agents/{agent_id}/syntheses", response=Page[SynthesisOut], auth=Needs(READ))
def list_syntheses(
    request: HttpRequest,
    agent_id: Id,
    kind: SynthesisKind | None = None,
    day: date | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Summaries of parts of days and of days, newest first, as far as you may hear them."""
    rows = queries.list_syntheses(
        actor_of(request), agent_id, kind=kind, day=day, before_id=read_cursor(cursor), limit=limit + 1
    )
    return page(rows, limit=limit, payload=synthesis_payload, cursor=lambda row: row.pk)


def event_payload(row: WorkingEvent, rooms: set[int]) -> dict[str, Any]:
    may_look = row.conversation_id in rooms
    return {
        **_heard(row),
        "type": row.type,
        "summary": row.summary,
        "detail": row.detail,
        "importance": row.importance,
        "conversation_id": row.conversation_id if may_look else None,
        "person_id": row.person_id,
        "run_id": row.run_id if may_look else None,
        "synthesis_id": row.synthesis_id,
    }


def synthesis_payload(row: Synthesis) -> dict[str, Any]:
    names = ("kind", "text", "event_count", "from_at", "to_at", "run_id", "rolled_into_id")
    return {**_heard(row), **{name: getattr(row, name) for name in names}}


def _heard(row: WorkingEvent | Synthesis) -> dict[str, Any]:
    names = (
        "id", "agent_id", "audience", "audience_conversation_id", "audience_person_id", "day", "created_at",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}
