from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Person
from messaging.models import Conversation, Handling
from messaging.services.conversations import start_conversation
from messaging.services.messages import append_inbound, append_outbound
from realtime.models import Notice


@pytest.fixture
def room(team: Any) -> Conversation:
    return start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", title="Plans", user_ids=[team.other_member.user.pk]
    )


def say(team: Any, room: Conversation, text: str, **more: Any) -> None:
    person = Person.objects.get(user=team.member.user)
    append_inbound(room.pk, person=person, author_name=person.display_name, text=text, **more)


def told() -> set[str]:
    return set(Notice.objects.values_list("user__email", flat=True))


@pytest.mark.parametrize("name", ["@otto", "@Otto,", "(@OttoOfAcme)", "@otto.", "hey @otto!"])
def test_who_is_called_by_name_is_told(team: Any, room: Conversation, name: str) -> None:
    say(team, room, f"{name} what do you think?")
    notice = Notice.objects.get()
    assert notice.user == team.other_member.user
    assert (notice.subject, notice.subject_id, notice.conversation_id) == ("conversation", room.pk, room.pk)


@pytest.mark.parametrize("text", ["otto, look", "mail otto@acme.test", "@ottokar", "@mona look", "@mia, me"])
def test_nobody_else_is(team: Any, room: Conversation, text: str) -> None:
    say(team, room, text)
    assert told() == set()


def test_an_agent_can_call_too_and_the_same_message_calls_once(team: Any, room: Conversation) -> None:
    for _ in range(2):
        append_outbound(room.pk, run_id=None, author_name="Spacebot", text="@mia done", key="run1.reply")
    assert Notice.objects.get().count == 1
    assert told() == {team.member.user.email}


def test_an_ignored_message_calls_nobody(team: Any, room: Conversation) -> None:
    say(team, room, "@otto", handling=Handling.IGNORED, reason="no binding")
    assert told() == set()


def test_a_text_without_a_call_costs_nothing(team: Any, room: Conversation) -> None:
    say(team, room, "warm up")
    with CaptureQueriesContext(connection) as queries:
        say(team, room, "nobody is called")
    assert not [query for query in queries if "participant" in query["sql"]]
