"""Changing links. Admins may; every change is audited, since a link lets work through."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.models import Membership, Role
from accounts.services import audit
from agents import queries as agents
from agents.links import queries
from agents.models import Agent, AgentLink, LinkKind
from realtime.services import NewEvent, record, unit_of_work


def create_link(
    actor: Actor,
    *,
    second_agent_id: int,
    first_agent_id: int | None = None,
    first_user_id: int | None = None,
    kind: str = LinkKind.HIERARCHY,
    two_way: bool = False,
) -> AgentLink:
    """Link an agent or a person with an agent. Raises InvalidInput, NotFound, and Conflict where one exists."""
    actor.check_level(Role.ADMIN)
    if (first_agent_id is None) == (first_user_id is None):
        raise InvalidInput("A link begins at one agent or one person.", field="first_agent_id")
    if kind not in LinkKind.values:
        raise InvalidInput(f"There is no kind of link {kind!r}.", field="kind")
    second = agents.get_agent(actor, second_agent_id)
    first = agents.get_agent(actor, first_agent_id) if first_agent_id else None
    if first is not None and first.pk == second.pk:
        raise InvalidInput("An agent needs no link with itself.", field="second_agent_id")
    if first_user_id is not None:
        _check_person(actor, first_user_id, two_way=two_way)
    if first is not None and kind == LinkKind.HIERARCHY:
        _check_no_circle(first, second)
    link = AgentLink(
        organization=actor.organization,
        first_agent=first,
        first_user_id=first_user_id,
        second_agent=second,
        kind=kind,
        two_way=two_way,
        pair=_pair(first, first_user_id, second),
    )
    try:
        with unit_of_work(), transaction.atomic():
            link.save()
            _note(actor, "agent_link.created", link)
    except IntegrityError:
        raise Conflict("These two are linked already.") from None
    return link


def change_link(
    actor: Actor, link_id: int, *, kind: str | None = None, two_way: bool | None = None
) -> AgentLink:
    """Change what a link is. Raises as `create_link` does."""
    actor.check_level(Role.ADMIN)
    link = queries.get_link(actor, link_id)
    if kind is not None:
        if kind not in LinkKind.values:
            raise InvalidInput(f"There is no kind of link {kind!r}.", field="kind")
        if kind == LinkKind.HIERARCHY and link.first_agent:
            _check_no_circle(link.first_agent, link.second_agent, besides=link.pk)
        link.kind = kind
    if two_way is not None:
        if two_way and link.first_user_id:
            raise InvalidInput("Nobody hands work to people here.", field="two_way")
        link.two_way = two_way
    with unit_of_work():
        link.save(update_fields=["kind", "two_way"])
        _note(actor, "agent_link.changed", link)
    return link


def remove_link(actor: Actor, link_id: int) -> None:
    actor.check_level(Role.ADMIN)
    link = queries.get_link(actor, link_id)
    with unit_of_work():
        _note(actor, "agent_link.removed", link)
        link.delete()


def _check_person(actor: Actor, user_id: int, *, two_way: bool) -> None:
    member = Membership.objects.filter(
        organization=actor.organization, user_id=user_id, user__is_active=True
    ).exclude(role=Role.AGENT)
    if not member.exists():
        raise InvalidInput("This person is not a member here.", field="first_user_id")
    if two_way:
        raise InvalidInput("Nobody hands work to people here.", field="two_way")


def _check_no_circle(first: Agent, second: Agent, *, besides: int | None = None) -> None:
    """Raise InvalidInput when the second already leads the first, directly or through others."""
    edges: dict[int, list[int]] = {}
    rows = AgentLink.objects.filter(
        organization_id=first.organization_id, kind=LinkKind.HIERARCHY, first_user=None
    )
    for start, end in rows.exclude(pk=besides or 0).values_list("first_agent_id", "second_agent_id"):
        edges.setdefault(start or 0, []).append(end)
    seen, open_ends = set[int](), [second.pk]
    while open_ends:
        at = open_ends.pop()
        if at == first.pk:
            raise InvalidInput(f"{second.name} leads {first.name} already.", field="second_agent_id")
        if at not in seen:
            seen.add(at)
            open_ends += edges.get(at, [])


def _pair(first: Agent | None, user_id: int | None, second: Agent) -> str:
    if first is None:
        return f"user {user_id} agent {second.pk}"
    return "agents {} {}".format(*sorted([first.pk, second.pk]))


def _note(actor: Actor, act: str, link: AgentLink) -> None:
    audit.record(
        actor,
        actor.organization,
        act,
        target=f"agent_link:{link.pk}",
        pair=link.pair,
        kind=str(link.kind),
        two_way=link.two_way,
    )
    record(actor.organization.pk, NewEvent("agent_links.changed", {"link_id": link.pk}))
