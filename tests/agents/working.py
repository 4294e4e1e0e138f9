"""Short ways to let things happen, and to look at what is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Person
from agents.context.working.around import Around, look_around_for
from agents.models import Agent, EventType, WorkingEvent
from agents.services.events import record_event
from messaging.models import Conversation, ConversationKind, Participant
from tests.factories import Team


def happen(
    team: Team, summary: str, *, key: str = "", type: EventType = EventType.SYSTEM, **more: Any
) -> None:
    record_event(
        type,
        summary,
        organization_id=team.organization.pk,
        agent_id=team.agent.pk,
        key=key or summary,
        **more,
    )


def happened_at(summary: str, moment: datetime) -> None:
    """Move an event to another moment, and to its day in UTC."""
    WorkingEvent.objects.filter(summary=summary).update(created_at=moment, day=moment.date())


def room_of(team: Team, *people: Person, kind: str = ConversationKind.GROUP, title: str = "") -> Conversation:
    room = Conversation.objects.create(
        organization=team.organization, account=team.webchat, agent_id=team.agent.pk, kind=kind, title=title,
        external_id=f"room {Conversation.objects.count()}",
    )  # fmt: skip
    for each in people:
        Participant.objects.create(organization=team.organization, conversation=room, person=each)
    return room


def person_of(team: Team, name: str) -> Person:
    return Person.objects.get(organization=team.organization, user=getattr(team, name).user)


def told_in(team: Team, room: Conversation) -> Around:
    agent = Agent.objects.get(pk=team.agent.pk)
    return look_around_for(agent, Conversation.objects.get(pk=room.pk))
