from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Conflict, InvalidInput, NotFound
from messaging.models import Conversation, Message, Reaction
from messaging.services.messages import append_outbound
from messaging.services.reactions import MOST_BY_ONE, add_reaction, remove_reaction
from realtime.models import Event


@pytest.fixture
def message(conversation: Conversation) -> Message:
    return append_outbound(conversation.pk, run_id=None, author_name="Spacebot", text="Done.", key="k")


def told() -> list[dict[str, Any]]:
    return [event.payload for event in Event.objects.filter(kind="message.reacted").order_by("id")]


def test_a_reaction_is_stored_and_told(team: Any, message: Message) -> None:
    reaction = add_reaction(team.member, message.pk, emoji="👍")
    assert reaction.person is not None
    assert reaction.person.user_id == team.member.user.pk
    assert told() == [
        {
            "message_id": message.pk,
            "emoji": "👍",
            "by": team.member.user.name,
            "person_id": reaction.person_id,
            "on": True,
        }
    ]


def test_the_same_reaction_twice_is_one(team: Any, message: Message) -> None:
    assert add_reaction(team.member, message.pk, emoji="👍") == add_reaction(
        team.member, message.pk, emoji="👍"
    )
    assert len(told()) == 1


def test_a_reaction_is_taken_back_once(team: Any, message: Message) -> None:
    add_reaction(team.member, message.pk, emoji="👍")
    for _ in range(2):
        remove_reaction(team.member, message.pk, emoji="👍")
    assert not Reaction.objects.exists()
    assert [each["on"] for each in told()] == [True, False]


def test_the_agents_reaction_is_not_taken_back_by_a_person(team: Any, message: Message) -> None:
    Reaction.objects.create(organization=team.organization, message=message, emoji="👍", run_id=1)
    remove_reaction(team.member, message.pk, emoji="👍")
    assert Reaction.objects.count() == 1


@pytest.mark.parametrize("emoji", ["", "a", "ok", "👍 ", "<", "👍" * 13])
def test_what_is_no_emoji_is_refused(team: Any, message: Message, emoji: str) -> None:
    with pytest.raises(InvalidInput):
        add_reaction(team.member, message.pk, emoji=emoji)
    assert not Reaction.objects.exists()


def test_who_does_not_take_part_finds_no_message(team: Any, rivals: Any, message: Message) -> None:
    for actor in (team.other_member, team.owner, rivals.owner):
        with pytest.raises(NotFound):
            add_reaction(actor, message.pk, emoji="👍")
        with pytest.raises(NotFound):
            remove_reaction(actor, message.pk, emoji="👍")


def test_one_person_cannot_cover_a_message(team: Any, message: Message) -> None:
    for number in range(MOST_BY_ONE):
        add_reaction(team.member, message.pk, emoji=chr(0x1F600 + number))
    with pytest.raises(Conflict):
        add_reaction(team.member, message.pk, emoji="👍")
    add_reaction(team.member, message.pk, emoji=chr(0x1F600))
