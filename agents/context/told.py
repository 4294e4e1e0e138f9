"""The five layers of what an agent is told in a conversation, one by one: for people who want to know what and why."""

from __future__ import annotations

from agents.context.knowledge import MOST_WORDS, choose_knowledge, render_knowledge
from agents.context.memory_mode import memory_mode
from agents.context.prompts import render
from agents.context.working.around import look_around_for
from agents.context.working.layers import Layer, Line
from agents.models import Agent
from memory.listeners import Listeners
from memory.recall import Recalled
from messaging.models import Conversation


def told_layers(agent: Agent, conversation: Conversation) -> list[Layer]:
    """Return the layers in the order of their numbers; where memory is off, identity alone."""
    identity = Layer(1, "Identity", render("_persona", agent=agent), None)
    if memory_mode(conversation) == "off":
        return [identity]
    around = look_around_for(agent, conversation)
    return [identity, around.log, around.rooms, around.people, _knowledge(agent, conversation)]


def _knowledge(agent: Agent, conversation: Conversation) -> Layer:
    listeners = Listeners.of(conversation_id=conversation.pk)
    told, left_out = choose_knowledge(agent.organization_id, agent.pk, listeners)
    text = render_knowledge(agent.organization_id, agent.pk, listeners)
    lines = [Line(row.content, f"Important now: {round(row.importance * 100)} %") for row in told]
    lines += [Line(row.content, reason, told=False) for row, reason in left_out]
    return Layer(5, "Knowledge", text, MOST_WORDS, tuple(lines), unit="words", words=_words(told))


def _words(rows: list[Recalled]) -> int:
    return sum(len(row.content.split()) for row in rows)
