"""Reads of working memory. The actor comes first and sees what they may hear; nothing else exists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from accounts.actor import Actor
from agents.context.told import told_layers
from agents.context.working.layers import Layer
from agents.models import Synthesis, WorkingEvent
from agents.queries import get_agent
from memory.queries import readable_reaches
from messaging.models import Conversation
from messaging.queries import conversations_of, get_conversation


def get_layers(actor: Actor, conversation_id: int) -> tuple[Conversation, list[Layer]]:
    """Return what the agent would be told now in a conversation the actor takes part in, layer by layer."""
    conversation = get_conversation(actor, conversation_id)
    return conversation, told_layers(get_agent(actor, conversation.agent_id), conversation)


def list_events(
    actor: Actor,
    agent_id: int,
    *,
    type: str | None = None,
    day: date | None = None,
    conversation_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[WorkingEvent]:
    """Return what happened, newest first; `conversation_id` keeps what happened in one the actor takes part in."""
    agent = get_agent(actor, agent_id)
    rows = WorkingEvent.objects.filter(agent=agent, reach__in=readable_reaches(actor))
    if type is not None:
        rows = rows.filter(type=type)
    if day is not None:
        rows = rows.filter(day=day)
    if conversation_id is not None:
        rows = rows.filter(conversation=get_conversation(actor, conversation_id))
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows.order_by("-pk")[:limit])


def list_syntheses(
    actor: Actor,
    agent_id: int,
    *,
    kind: str | None = None,
    day: date | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Synthesis]:
    """Return summaries, newest first."""
    agent = get_agent(actor, agent_id)
    rows = Synthesis.objects.filter(agent=agent, reach__in=readable_reaches(actor))
    if kind is not None:
        rows = rows.filter(kind=kind)
    if day is not None:
        rows = rows.filter(day=day)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows.order_by("-pk")[:limit])


def known_rooms(actor: Actor, ids: Iterable[int | None]) -> set[int]:
    """Return those of the conversations in which the actor takes part."""
    asked = {pk for pk in ids if pk is not None}
    return set(conversations_of(actor).filter(pk__in=asked).values_list("pk", flat=True)) if asked else set()
