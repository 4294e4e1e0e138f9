"""Every audience against every set of listeners: what all of them may hear, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Membership, Person
from memory import types
from memory.listeners import Listeners, audible_reaches
from memory.listing import Wanted, list_memories
from memory.models import EVERYONE
from memory.recall import recall, recall_transcript
from memory.services.saving import save_memory
from memory.services.transcripts import index_conversation
from messaging.models import Conversation, Participant
from messaging.services.conversations import start_conversation
from messaging.services.messages import append_inbound

MEMBERS = ("owner", "moderator", "member", "other_member")
ROOMS: tuple[tuple[str, ...], ...] = (
    ("owner",), ("member",), ("owner", "member"), ("member", "other_member", "guest"), (*MEMBERS, "guest"), (),
)  # fmt: skip
PEOPLE = (*MEMBERS, "guest", "stranger")
WORD = "heliotrope"


@dataclass
class House:
    """Two teams; in one a guest without membership. Each audience knows one thing with one word in common."""

    organization_id: int
    agent_id: int
    people: dict[str, Person]
    rooms: list[Conversation]
    told: dict[int, int]
    """Which reach each memory has."""
    said: dict[int, int]
    """In which room each message was said."""


@pytest.fixture
def house(team: Any, rivals: Any) -> House:
    organization = team.organization
    people = {
        name: Person.objects.get(organization=organization, user=getattr(team, name).user) for name in MEMBERS
    }
    people["guest"] = Person.objects.create(organization=organization, display_name="Guest")
    people["stranger"] = Person.objects.get(organization=rivals.organization, user=rivals.member.user)
    shelf = {"organization_id": organization.pk, "agent_id": team.agent.pk}
    rooms, said, told = [], {}, {}
    for names in ROOMS:
        room = start_conversation(team.owner, agent_id=team.agent.pk, kind="group")
        Participant.objects.filter(conversation=room).delete()
        for name in names:
            Participant.objects.create(organization=organization, conversation=room, person=people[name])
        message, _ = append_inbound(
            room.pk, person=people["owner"], author_name="Olga", text=f"{WORD} in room {room.pk}"
        )
        index_conversation(room.pk)
        rooms.append(room)
        said[message.pk] = room.pk
    for heard_by in (
        types.ORGANIZATION,
        *(types.conversation(room.pk) for room in rooms),
        *(types.person(person.pk) for name, person in people.items() if name != "stranger"),
    ):
        memory = save_memory(
            **shelf, type="fact", content=f"{WORD} {heard_by.reach}", heard_by=heard_by
        ).memory
        assert memory is not None
        told[memory.pk] = heard_by.reach
    save_memory(
        organization_id=rivals.organization.pk, agent_id=rivals.agent.pk, type="fact", content=f"{WORD} of rivals",
        heard_by=types.ORGANIZATION,
    )  # fmt: skip
    return House(organization.pk, team.agent.pk, people, rooms, told, said)


def may_all_hear(house: House, names: frozenset[str], reach: int) -> bool:
    """Say in plain Python who may hear what."""
    if not names:
        return False
    if reach == EVERYONE:
        return names <= set(MEMBERS)
    if reach < 0:
        return names == {name for name, person in house.people.items() if person.pk == -reach}
    return names <= set(ROOMS[[room.pk for room in house.rooms].index(reach)])


MATRIX = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@MATRIX
@given(
    present=st.frozensets(st.sampled_from(PEOPLE)),
    room=st.none() | st.integers(0, len(ROOMS) - 1),
    mode=st.sampled_from(["hybrid", "recent", "important", "typed"]),
    filtered=st.booleans(),
)
def test_recall_tells_exactly_what_all_listeners_may_hear(
    house: House, present: frozenset[str], room: int | None, mode: Any, filtered: bool
) -> None:
    listeners = Listeners.of(
        (house.people[name].pk for name in present),
        conversation_id=None if room is None else house.rooms[room].pk,
    )
    ears = present | (frozenset(ROOMS[room]) if room is not None else frozenset())
    found = recall(
        WORD, organization_id=house.organization_id, agent_id=house.agent_id, listeners=listeners, limit=50,
        mode=mode, types=["fact"] if filtered or mode == "typed" else (),
    )  # fmt: skip
    expected = {pk for pk, reach in house.told.items() if may_all_hear(house, ears, reach)}
    assert {each.id for each in found} == expected


@MATRIX
@given(present=st.frozensets(st.sampled_from(PEOPLE)), room=st.none() | st.integers(0, len(ROOMS) - 1))
def test_transcripts_tell_exactly_what_all_listeners_took_part_in(
    house: House, present: frozenset[str], room: int | None
) -> None:
    listeners = Listeners.of(
        (house.people[name].pk for name in present),
        conversation_id=None if room is None else house.rooms[room].pk,
    )
    ears = present | (frozenset(ROOMS[room]) if room is not None else frozenset())
    found = recall_transcript(
        WORD, organization_id=house.organization_id, agent_id=house.agent_id, listeners=listeners, limit=50
    )
    assert {each.message_id for each in found} == {
        pk for pk, place in house.said.items() if may_all_hear(house, ears, place)
    }


def test_another_agent_hears_nothing_of_it(house: House) -> None:
    alone = Listeners.of([house.people["owner"].pk])
    other = {"organization_id": house.organization_id, "agent_id": house.agent_id + 1_000, "listeners": alone}
    assert recall(WORD, **other) == []
    assert recall_transcript(WORD, **other) == []


def test_another_tenant_hears_nothing_whoever_asks(house: House, rivals: Any) -> None:
    for name in PEOPLE:
        found = recall(
            WORD, organization_id=rivals.organization.pk, agent_id=rivals.agent.pk,
            listeners=Listeners.of([house.people[name].pk]),
        )  # fmt: skip
        assert [each.content for each in found] == ([f"{WORD} of rivals"] if name == "stranger" else [])


@pytest.mark.parametrize("name", MEMBERS)
def test_a_user_reads_what_they_may_hear_alone(house: House, team: Any, name: str) -> None:
    actor = getattr(team, name)
    expected = {pk for pk, reach in house.told.items() if may_all_hear(house, frozenset({name}), reach)}
    assert {memory.pk for memory in list_memories(actor, limit=200)} == expected
    assert {memory.pk for memory in list_memories(actor, Wanted(search=WORD), limit=200)} == expected


def test_who_leaves_hears_no_more_of_the_organization(house: House, team: Any) -> None:
    person = house.people["member"]
    alone = Listeners.of([person.pk])
    assert EVERYONE in audible_reaches(house.organization_id, alone)
    Membership.objects.filter(user=team.member.user).delete()
    assert EVERYONE not in audible_reaches(house.organization_id, alone)
    Participant.objects.filter(person=person).delete()
    assert audible_reaches(house.organization_id, alone) == [-person.pk]
