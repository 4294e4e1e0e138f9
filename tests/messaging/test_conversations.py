from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import Membership, Person
from messaging import queries
from messaging.models import Conversation, ConversationKind
from messaging.services import conversations as service
from messaging.services.messages import append_inbound, append_outbound
from realtime.models import Event


@pytest.fixture
def shared(team: Any) -> Conversation:
    return service.start_conversation(
        team.member,
        agent_id=team.agent.pk,
        kind="group",
        title="Launch",
        user_ids=[team.other_member.user.pk],
    )


def say(conversation: Conversation, text: str, person: Person | None = None) -> None:
    append_inbound(conversation.pk, person=person, author_name="x", text=text)


def test_a_private_conversation_has_exactly_who_began_it(team: Any) -> None:
    made = service.start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    assert [p.person.user_id for p in queries.list_participants(team.member, made)] == [team.member.user.pk]
    assert made.last_seq == 0
    event = Event.objects.get(kind="conversation.changed")
    assert event.payload["conversation"]["id"] == made.pk
    with pytest.raises(InvalidInput):
        service.start_conversation(
            team.member, agent_id=team.agent.pk, kind="dm", user_ids=[team.other_member.user.pk]
        )


@pytest.mark.parametrize("kind", ["", "room", "DM"])
def test_an_unknown_kind_is_refused(team: Any, kind: str) -> None:
    with pytest.raises(InvalidInput):
        service.start_conversation(team.member, agent_id=team.agent.pk, kind=kind)


def test_people_of_another_organization_cannot_be_brought_in(
    team: Any, rivals: Any, shared: Conversation
) -> None:
    stranger = rivals.member.user.pk
    with pytest.raises(NotFound):
        service.start_conversation(team.member, agent_id=team.agent.pk, kind="group", user_ids=[stranger])
    with pytest.raises(NotFound):
        service.add_participant(team.member, shared.pk, user_id=stranger)


def test_only_who_takes_part_finds_it_whatever_their_role(
    team: Any, rivals: Any, shared: Conversation
) -> None:
    assert queries.get_conversation(team.other_member, shared.pk) == shared
    for actor in (team.owner, team.admin, rivals.owner):
        for act in (
            lambda who: queries.get_conversation(who, shared.pk),
            lambda who: queries.list_messages(who, shared),
            lambda who: queries.list_participants(who, shared),
            lambda who: service.rename(who, shared.pk, title="Mine"),
            lambda who: service.archive(who, shared.pk),
            lambda who: service.unarchive(who, shared.pk),
            lambda who: service.mark_read(who, shared.pk),
            lambda who: service.add_participant(who, shared.pk, user_id=who.user.pk),
            lambda who: service.remove_participant(who, shared.pk, user_id=team.member.user.pk),
        ):
            with pytest.raises(NotFound):
                act(actor)
        assert queries.list_conversations(actor) == []
        assert not queries.can_read_conversation(actor.user.pk, shared.pk)


def test_who_left_the_organization_can_no_longer_read(team: Any, shared: Conversation) -> None:
    user = team.other_member.user
    assert queries.can_read_conversation(user.pk, shared.pk)
    Membership.objects.filter(user=user).delete()
    assert not queries.can_read_conversation(user.pk, shared.pk)


def test_a_user_of_two_organizations_sees_each_alone(team: Any, rivals: Any, shared: Conversation) -> None:
    from accounts.actor import Actor
    from accounts.models import Role

    Membership.objects.create(organization=rivals.organization, user=team.member.user, role=Role.MEMBER)
    there = Actor(user=team.member.user, organization=rivals.organization, role=Role.MEMBER)
    with pytest.raises(NotFound):
        queries.get_conversation(there, shared.pk)
    assert queries.list_conversations(there) == []


def test_renaming_archiving_and_coming_back_are_told(team: Any, shared: Conversation) -> None:
    assert service.rename(team.member, shared.pk, title="  New   name ").title == "New name"
    assert service.archive(team.other_member, shared.pk).archived_at is not None
    assert service.archive(team.other_member, shared.pk).archived_at is not None
    assert queries.list_conversations(team.member) == []
    assert queries.list_conversations(team.member, archived=True) == [shared]
    assert service.unarchive(team.member, shared.pk).archived_at is None
    told = [e.payload["conversation"]["archived"] for e in Event.objects.order_by("number")]
    assert told == [False, False, True, True, False]
    for title in ("", " ", "x" * 161):
        with pytest.raises(InvalidInput):
            service.rename(team.member, shared.pk, title=title)


def test_a_person_is_added_once_and_reads_what_was_said_before(team: Any, shared: Conversation) -> None:
    say(shared, "earlier")
    first = service.add_participant(team.member, shared.pk, user_id=team.moderator.user.pk)
    assert service.add_participant(team.member, shared.pk, user_id=team.moderator.user.pk) == first
    assert [m.text for m in queries.list_messages(team.moderator, shared)] == ["earlier"]


def test_a_private_conversation_stays_private(team: Any, conversation: Conversation) -> None:
    with pytest.raises(Conflict):
        service.add_participant(team.member, conversation.pk, user_id=team.owner.user.pk)


def test_leaving_is_free_taking_others_out_is_for_who_began_it(team: Any, shared: Conversation) -> None:
    with pytest.raises(Forbidden):
        service.remove_participant(team.other_member, shared.pk, user_id=team.member.user.pk)
    with pytest.raises(NotFound):
        service.remove_participant(team.member, shared.pk, user_id=team.owner.user.pk)
    service.remove_participant(team.other_member, shared.pk, user_id=team.other_member.user.pk)
    assert not queries.can_read_conversation(team.other_member.user.pk, shared.pk)
    with pytest.raises(Conflict):
        service.remove_participant(team.member, shared.pk, user_id=team.member.user.pk)


def test_reading_moves_forward_only_and_not_past_the_end(
    team: Any, shared: Conversation, mia: Person
) -> None:
    say(shared, "one", mia)
    say(shared, "two")
    append_outbound(shared.pk, run_id=1, author_name="Bot", text="three", key="k")
    assert queries.count_unread(team.member, [shared.pk]) == {shared.pk: 2}
    assert queries.count_unread(team.owner, [shared.pk]) == {}
    assert service.mark_read(team.member, shared.pk, seq=2) == 2
    assert service.mark_read(team.member, shared.pk, seq=1) == 2
    assert queries.count_unread(team.member, [shared.pk]) == {shared.pk: 1}
    assert service.mark_read(team.member, shared.pk, seq=99) == 3
    assert service.mark_read(team.member, shared.pk) == 3
    assert queries.count_unread(team.member, [shared.pk]) == {shared.pk: 0}


def test_the_list_is_newest_first_and_continues(team: Any) -> None:
    made = [service.start_conversation(team.member, agent_id=team.agent.pk, kind="dm") for _ in range(3)]
    say(made[0], "newest")
    first = queries.list_conversations(team.member, limit=2)
    assert [c.pk for c in first] == [made[0].pk, made[2].pk]
    rest = queries.list_conversations(team.member, before=first[-1].last_message_at)
    assert [c.pk for c in rest] == [made[1].pk]
    assert queries.list_conversations(team.member, agent_id=0) == []


def test_messages_come_in_order_from_either_end(team: Any, conversation: Conversation) -> None:
    for number in range(1, 8):
        say(conversation, str(number))

    def seqs(**limits: Any) -> list[int]:
        return [m.seq for m in queries.list_messages(team.member, conversation, **limits)]

    assert seqs(limit=3) == [5, 6, 7]
    assert seqs(before_seq=5, limit=3) == [2, 3, 4]
    assert seqs(after_seq=5) == [6, 7]
    assert seqs(after_seq=2, before_seq=5) == [3, 4]
    assert seqs(limit=0) == [7]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("deploy", True),
        ("DEPLOY frid", True),
        ("laun", True),
        ("weekend", False),
        ("deploy weekend", False),
        ("' | 'x & !(", False),
        ("100%", False),
        ("deploy\x00\ud800", True),
        ("x" * 5000, False),
    ],
)
def test_search_looks_at_titles_and_messages(
    team: Any, shared: Conversation, search: str, found: bool, say_elsewhere: Callable[[str], None]
) -> None:
    say(shared, "How do we deploy on Fridays?")
    say_elsewhere("deploy on the weekend: launch it 100% ' x")
    assert queries.list_conversations(team.other_member, search=search) == ([shared] if found else [])


@pytest.fixture
def say_elsewhere(team: Any) -> Callable[[str], None]:
    """Say something where `other_member` does not take part."""
    private = service.start_conversation(team.member, agent_id=team.agent.pk, kind=ConversationKind.DM)
    return lambda text: say(private, text)
