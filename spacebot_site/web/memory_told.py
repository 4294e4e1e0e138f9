"""What an agent would be told now in a conversation, and why."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from agents.context.knowledge import MOST_WORDS, choose_knowledge, render_knowledge
from agents.context.memory_mode import memory_mode
from agents.context.told import told_layers
from agents.queries import get_agent
from memory import queries
from memory.listeners import Listeners
from messaging.models import Conversation
from messaging.queries import get_conversation, list_conversations, list_participants
from spacebot_site.web.door import page
from spacebot_site.web.forms import number
from spacebot_site.web.memory_words import audience_words

CHOICES = 100
KNOWLEDGE = 5
"""The layer whose reasons are memories, which the page links."""


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    conversations = list_conversations(actor, limit=CHOICES)
    wanted = number(request.GET.get("conversation"))
    chosen = get_conversation(actor, wanted) if wanted else next(iter(conversations), None)
    if chosen is not None and chosen.pk not in {each.pk for each in conversations}:
        conversations.insert(0, chosen)
    shown: dict[str, Any] = {
        "conversations": conversations,
        "chosen": chosen,
        "waiting": len(queries.list_inbox(actor)),
    }
    return render(request, "memory/told.html", shown | (_told(actor, chosen) if chosen else {}))


def _told(actor: Actor, conversation: Conversation) -> dict[str, Any]:
    agent = get_agent(actor, conversation.agent_id)
    mode = memory_mode(conversation)
    shown: dict[str, Any] = {
        "agent": agent,
        "mode": mode,
        "people": [each.person.display_name for each in list_participants(actor, conversation)],
        "most_words": MOST_WORDS,
    }
    if mode == "off":
        return shown
    listeners = Listeners.of(conversation_id=conversation.pk)
    shown["layers"] = [layer for layer in told_layers(agent, conversation) if layer.number != KNOWLEDGE]
    told, left_out = choose_knowledge(actor.organization.pk, agent.pk, listeners)
    text = render_knowledge(actor.organization.pk, agent.pk, listeners)
    known = queries.memories_of(actor).select_related("audience_conversation")
    rows = known.in_bulk([row.id for row in [*told, *(row for row, _ in left_out)]])

    def why(row: Any, reason: str = "") -> dict[str, Any]:
        heard_by = audience_words(actor, row.audience, rows[row.id].audience_conversation)
        return {"row": row, "memory": rows[row.id], "percent": round(row.importance * 100), "heard_by": heard_by,
                "reason": reason}  # fmt: skip

    return shown | {
        "text": text,
        "words": sum(len(row.content.split()) for row in told),
        "told": [why(row) for row in told if row.id in rows],
        "left_out": [why(row, reason) for row, reason in left_out if row.id in rows],
    }
