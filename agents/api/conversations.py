"""Conversations over HTTP. You see those you take part in, whatever your role."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from pydantic import Field

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page
from accounts.errors import InvalidInput
from agents.queries import get_agent
from agents.services.conversation_settings import choose_memory
from messaging import queries
from messaging.api import (
    ConversationIn,
    ConversationOut,
    ConversationPatch,
    ParticipantIn,
    ParticipantOut,
    participant_payload,
)
from messaging.models import Conversation
from messaging.payloads import conversation_payload
from messaging.services import conversations as services
from realtime.services import unit_of_work

router = Router(tags=["conversations"])
READ, WRITE = "conversations:read", "conversations:write"


class ReadIn(Strict):
    seq: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None


@router.get("/conversations", response=Page[ConversationOut], auth=Needs(READ))
def list_conversations(
    request: HttpRequest,
    search: str = "",
    archived: bool = False,
    agent_id: Id | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Newest first; `search` looks at titles and messages."""
    rows = queries.list_conversations(
        actor_of(request),
        search=search,
        archived=archived,
        agent_id=agent_id,
        before=_moment(cursor),
        limit=limit + 1,
    )
    return page(rows, limit=limit, payload=conversation_payload, cursor=_place)


def _place(row: Conversation) -> str:
    return (row.last_message_at or row.created_at).isoformat().replace("+00:00", "Z")


def _moment(cursor: str | None) -> datetime | None:
    if not cursor:
        return None
    try:
        moment = datetime.fromisoformat(cursor)
    except ValueError:
        raise InvalidInput("This is no cursor of ours.", field="cursor") from None
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=timezone.get_default_timezone())


@router.post("/conversations", response={201: ConversationOut}, auth=Needs(WRITE))
def start_conversation(request: HttpRequest, body: ConversationIn) -> Status[Any]:
    actor = actor_of(request)
    agent = get_agent(actor, body.agent_id)
    started = services.start_conversation(
        actor, agent_id=agent.pk, kind=body.kind, title=body.title, user_ids=body.user_ids
    )
    return Status(201, conversation_payload(started))


@router.get("/conversations/{conversation_id}", response=ConversationOut, auth=Needs(READ))
def get_conversation(request: HttpRequest, conversation_id: Id) -> dict[str, Any]:
    return conversation_payload(queries.get_conversation(actor_of(request), conversation_id))


@router.patch("/conversations/{conversation_id}", response=ConversationOut, auth=Needs(WRITE))
def update_conversation(request: HttpRequest, conversation_id: Id, body: ConversationPatch) -> dict[str, Any]:
    """Rename, archive or bring back; or let it be remembered (`full`), told but not kept (`ambient`), or neither (`off`)."""
    actor = actor_of(request)
    with unit_of_work():
        conversation = queries.get_conversation(actor, conversation_id)
        if body.title is not None:
            conversation = services.rename(actor, conversation_id, title=body.title)
        if body.archived is not None:
            change = services.archive if body.archived else services.unarchive
            conversation = change(actor, conversation_id)
        if body.memory is not None:
            conversation = choose_memory(actor, conversation_id, mode=body.memory)
    return conversation_payload(conversation)


@router.post("/conversations/{conversation_id}/read", response={204: None}, auth=Needs(WRITE))
def mark_read(request: HttpRequest, conversation_id: Id, body: ReadIn) -> Status[None]:
    """Note that you have read up to `seq`, or everything."""
    services.mark_read(actor_of(request), conversation_id, seq=body.seq)
    return Status(204, None)


@router.get("/conversations/{conversation_id}/participants", response=Page[ParticipantOut], auth=Needs(READ))
def list_participants(request: HttpRequest, conversation_id: Id) -> dict[str, Any]:
    actor = actor_of(request)
    conversation = queries.get_conversation(actor, conversation_id)
    found = queries.list_participants(actor, conversation)
    return {"items": [participant_payload(each) for each in found], "next": None}


@router.post(
    "/conversations/{conversation_id}/participants", response={201: ParticipantOut}, auth=Needs(WRITE)
)
def add_participant(request: HttpRequest, conversation_id: Id, body: ParticipantIn) -> Status[Any]:
    added = services.add_participant(actor_of(request), conversation_id, user_id=body.user_id)
    return Status(201, participant_payload(added))


@router.delete(
    "/conversations/{conversation_id}/participants/{user_id}", response={204: None}, auth=Needs(WRITE)
)
def remove_participant(request: HttpRequest, conversation_id: Id, user_id: Id) -> Status[None]:
    services.remove_participant(actor_of(request), conversation_id, user_id=user_id)
    return Status(204, None)
