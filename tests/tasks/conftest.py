"""The board of a team, written by its people and by an agent's runs."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role, User
from agents.models import Run
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from tasks.authors import Author, by_person
from tasks.models import AuthorKind, Task
from tasks.services.board import create_task
from tests.agents.conftest import engine
from tests.factories import Team
from tests.tasks.counting import counted
from tests.tasks.timetable import chat

__all__ = ["chat", "counted", "engine"]


def agent_of(team: Team, conversation: Conversation | None = None, *, run_id: int = 1) -> Author:
    """Return the team's agent as an author, working for the member."""
    return Author(
        AuthorKind.AGENT,
        team.organization.pk,
        user_id=team.member.user.pk,
        agent_id=team.agent.pk,
        run_id=run_id,
        conversation_id=conversation.pk if conversation else None,
    )


def person_task(actor: Actor, title: str = "Write the notes", **values: Any) -> Task:
    return create_task(by_person(actor), title=title, **values)


def software(team: Team) -> Actor:
    """Return a member of the role agent: software with a token."""
    user = User.objects.create(email=f"bot@{team.organization.slug}.test", name="Bot")
    team.organization.memberships.create(user=user, role=Role.AGENT)
    return Actor(user=user, organization=team.organization, role=Role.AGENT)


@pytest.fixture
def private(team: Team) -> Conversation:
    """A conversation of the member with the agent."""
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm")


def live_runs(kind: str = "worker") -> list[Run]:
    return list(Run.objects.filter(kind=kind, state__in=["queued", "running", "waiting"]).order_by("id"))
