"""Reading links. Every member sees their organization's."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from agents.models import Agent, AgentLink, LinkKind

REMEMBER_S = 5.0
_askable: dict[int, tuple[float, list[Agent]]] = {}


@dataclass(frozen=True)
class Colleague:
    """Another agent as one sees it: `rank` is above, below or beside; `may_ask` says whether work may go there."""

    agent: Agent
    rank: str
    may_ask: bool


def list_links(actor: Actor) -> QuerySet[AgentLink]:
    rows = AgentLink.objects.filter(organization=actor.organization)
    return rows.select_related("first_agent", "first_user", "second_agent").order_by("id")


def get_link(actor: Actor, link_id: int) -> AgentLink:
    link = list_links(actor).filter(pk=link_id).first()
    if link is None:
        raise NotFound("There is no such link.")
    return link


def colleagues_of(agent_id: int) -> list[Colleague]:
    """Return the enabled agents that an agent is linked with, by name."""
    rows = AgentLink.objects.filter(Q(first_agent_id=agent_id) | Q(second_agent_id=agent_id))
    found = []
    for link in rows.filter(first_user=None).select_related("first_agent", "second_agent"):
        is_first = link.first_agent_id == agent_id
        other = link.second_agent if is_first else link.first_agent
        if other is None or not other.enabled:
            continue
        rank = "beside" if link.kind == LinkKind.PEER else "below" if is_first else "above"
        found.append(Colleague(other, rank, is_first or link.two_way))
    return sorted(found, key=lambda each: each.agent.name)


def askable(agent_id: int) -> list[Agent]:
    """Return the agents one may hand work to, for its prompt; up to five seconds old."""
    now = time.monotonic()
    until, found = _askable.get(agent_id, (0.0, []))
    if until < now:
        found = [each.agent for each in colleagues_of(agent_id) if each.may_ask]
        _askable[agent_id] = (now + REMEMBER_S, found)
    return found


def leaders_of(agent_id: int) -> list[int]:
    """Return the users who lead an agent, for notices and approvals."""
    rows = AgentLink.objects.filter(
        second_agent_id=agent_id, kind=LinkKind.HIERARCHY, first_user__isnull=False
    )
    return [user_id for user_id in rows.values_list("first_user_id", flat=True) if user_id is not None]
