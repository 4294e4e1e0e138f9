"""What ingestion must know about agents, who live in a higher package: the site hands it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.actor import Actor
from accounts.errors import NotFound


@dataclass(frozen=True)
class AgentPlace:
    """An agent, and the names under which its folder may be found."""

    organization_id: int
    organization_slug: str
    agent_id: int


@dataclass(frozen=True)
class _Directory:
    named: Callable[[str], Sequence[AgentPlace]]
    check: Callable[[Actor, int], object]


def _nobody(actor: Actor, agent_id: int) -> None:
    raise NotFound("There is no such agent.")


_directory = _Directory(named=lambda slug: (), check=_nobody)


def set_agent_directory(
    *, named: Callable[[str], Sequence[AgentPlace]], check: Callable[[Actor, int], object]
) -> None:
    """Hand in who is called by a slug, and what raises NotFound for an agent that is not the actor's."""
    global _directory
    _directory = _Directory(named, check)


def agents_named(slug: str) -> Sequence[AgentPlace]:
    """Return the agents of every organization that have this slug."""
    return _directory.named(slug)


def check_agent(actor: Actor, agent_id: int) -> None:
    """Raise NotFound unless the agent belongs to the actor's organization."""
    _directory.check(actor, agent_id)
