"""System prompts, from the templates in `agents/prompts/`.

A prompt is a tuple of parts from stable to volatile. The first part depends on the agent alone, the second on the
conversation, the third on what is known, so all are byte-stable between turns until something is learned and a provider's
cache holds. What changes from turn to turn rides on the newest message instead.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.context.history import clean_name
from agents.context.knowledge import render_knowledge
from agents.context.memory_mode import memory_mode
from agents.models import Agent
from memory.listeners import Listeners
from messaging.models import Conversation, Participant

VERSION = "1"
"""Rises with each change of a template's meaning; kept with every prompt, so that runs can be compared."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent.parent / "prompts"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  the output is a prompt, not a page
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, **values: object) -> str:
    return _environment().get_template(f"{name}.j2").render(**values).strip()


def channel_system(agent: Agent, conversation: Conversation) -> tuple[str, ...]:
    people = (
        Participant.objects.filter(conversation_id=conversation.pk)
        .order_by("person__display_name")
        .values_list("person__display_name", flat=True)[:30]
    )
    where = render(
        "conversation",
        kind=conversation.kind,
        title=clean_name(conversation.title) if conversation.title else "",
        people=[clean_name(name) for name in people],
    )
    known = ""
    if memory_mode(conversation) != "off":
        listeners = Listeners.of(conversation_id=conversation.pk)
        known = render_knowledge(agent.organization_id, agent.pk, listeners)
    return (
        (render("channel", agent=agent), where, known) if known else (render("channel", agent=agent), where)
    )


def compactor_system(agent: Agent, *, rolling_up: bool) -> str:
    return render("compactor", agent=agent, rolling_up=rolling_up)


def keeper_system(agent: Agent) -> str:
    return render("keeper", agent=agent)


def branch_system(agent: Agent) -> tuple[str, ...]:
    return (render("branch", agent=agent),)


def cron_system(agent: Agent) -> tuple[str, ...]:
    return (render("cron", agent=agent),)


def worker_system(agent: Agent, *, interactive: bool) -> tuple[str, ...]:
    return (render("worker", agent=agent, interactive=interactive),)
