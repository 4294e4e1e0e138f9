"""System prompts, from the templates in `agents/prompts/`.

A prompt is a tuple of parts from stable to volatile. The first part depends on the agent alone, the second on the
conversation, the third on what is known, the fourth on what happened around it, so all are byte-stable between turns
until something is learned or happens, and a provider's cache holds. What changes from turn to turn rides on the newest
message instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.context.history import clean_name
from agents.context.knowledge import render_knowledge
from agents.context.memory_mode import memory_mode
from agents.context.working.around import Around, look_around_for
from agents.context.working.snapshot import MOST_NAMES
from agents.links.queries import askable
from agents.models import Agent
from memory.listeners import Listeners
from messaging.models import Conversation, Participant

VERSION = "3"
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
    told = _told(agent, conversation)
    names = told.around.names if told else _names_in(conversation)
    where = render(
        "conversation",
        kind=conversation.kind,
        title=clean_name(conversation.title) if conversation.title else "",
        people=names,
        told_to_all=agent.settings.get("private_learning") == "organization"
        and memory_mode(conversation) == "full",
    )
    return (
        render("channel", agent=agent, colleagues=askable(agent.pk)),
        where,
        *(told.parts if told else ()),
    )


@dataclass(frozen=True)
class Told:
    """What is remembered, for exactly those who listen."""

    knowledge: str
    around: Around

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of a prompt that are not empty, the steadier first."""
        return tuple(part for part in (self.knowledge, self.around.text) if part)


def _told(agent: Agent, conversation: Conversation | None) -> Told | None:
    """Return what may be told in a conversation; None where memory is off."""
    if conversation is None or memory_mode(conversation) == "off":
        return None
    listeners = Listeners.of(conversation_id=conversation.pk)
    knowledge = render_knowledge(agent.organization_id, agent.pk, listeners)
    return Told(knowledge, look_around_for(agent, conversation))


def _names_in(conversation: Conversation) -> list[str]:
    names = Participant.objects.filter(conversation_id=conversation.pk).order_by("person__display_name")
    return [clean_name(name) for name in names.values_list("person__display_name", flat=True)[:MOST_NAMES]]


def compactor_system(agent: Agent, *, rolling_up: bool) -> str:
    return render("compactor", agent=agent, rolling_up=rolling_up)


def keeper_system(agent: Agent) -> str:
    return render("keeper", agent=agent)


def synthesis_system(agent: Agent, *, daily: bool, most_words: int) -> str:
    return render("synthesis", agent=agent, daily=daily, most_words=most_words)


def branch_system(agent: Agent, conversation: Conversation | None) -> tuple[str, ...]:
    told = _told(agent, conversation)
    return (render("branch", agent=agent), *(told.parts if told else ()))


def colleague_system(agent: Agent) -> tuple[str, ...]:
    return (render("colleague", agent=agent, colleagues=askable(agent.pk)),)


def autonomy_system(agent: Agent) -> tuple[str, ...]:
    knowledge = render_knowledge(agent.organization_id, agent.pk, Listeners(everyone=True))
    return (render("autonomy", agent=agent), *((knowledge,) if knowledge else ()))


def cron_system(agent: Agent) -> tuple[str, ...]:
    return (render("cron", agent=agent),)


def worker_system(
    agent: Agent, *, interactive: bool, recalls: bool = False, on_board: bool = False
) -> tuple[str, ...]:
    return (render("worker", agent=agent, interactive=interactive, recalls=recalls, on_board=on_board),)


def coder_system(agent: Agent) -> tuple[str, ...]:
    return (render("coder", agent=agent),)
