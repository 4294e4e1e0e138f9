from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from memory import queries, types
from memory.models import Association, MemoryEdit, Source
from memory.services import editing
from memory.types import Provenance


@pytest.fixture
def memory(known: Any) -> Any:
    return known.know("The office is in Berlin")


@pytest.fixture
def private(known: Any, mia: Any) -> Any:
    return known.know("Mia looks for a new job", heard_by=types.person(mia.pk))


def test_an_edit_keeps_the_old_text_and_its_author(known: Any, team: Any, memory: Any, mia: Any) -> None:
    editing.edit_memory(team.moderator, memory.pk, content="The office is in Hamburg", reason="we moved")
    (edit,) = queries.list_edits(team.member, memory.pk)
    assert edit.before == {"content": "The office is in Berlin"}
    assert (edit.user, edit.reason) == (team.moderator.user, "we moved")
    assert [each.content for each in known.recall("hamburg", mia)] == ["The office is in Hamburg"]
    assert [each.text_score for each in known.recall("berlin", mia)] == [0.0]


def test_an_edit_that_changes_nothing_writes_nothing(team: Any, memory: Any) -> None:
    editing.edit_memory(team.moderator, memory.pk, content=" The office is in Berlin ", pinned=False)
    assert not MemoryEdit.objects.exists()


def test_an_edit_into_what_is_known_already_is_refused(known: Any, team: Any, memory: Any) -> None:
    known.know("The office is in Hamburg")
    with pytest.raises(Conflict):
        editing.edit_memory(team.moderator, memory.pk, content="The office is in Hamburg")
    memory.refresh_from_db()
    assert memory.content == "The office is in Berlin"


def test_what_everyone_knows_is_changed_by_moderators_only(team: Any, memory: Any) -> None:
    with pytest.raises(Forbidden):
        editing.edit_memory(team.member, memory.pk, content="x")
    with pytest.raises(Forbidden):
        editing.forget_memory(team.member, memory.pk)


def test_nobody_reads_or_changes_what_they_may_not_hear(
    team: Any, rivals: Any, memory: Any, private: Any
) -> None:
    for actor, hidden in ((team.owner, private), (team.other_member, private), (rivals.owner, memory)):
        for attempt in (
            lambda a, m: queries.get_memory(a, m.pk),
            lambda a, m: queries.list_edits(a, m.pk),
            lambda a, m: editing.edit_memory(a, m.pk, content="x"),
            lambda a, m: editing.forget_memory(a, m.pk),
            lambda a, m: editing.restore_memory(a, m.pk),
            lambda a, m: editing.change_audience(a, m.pk, types.ORGANIZATION),
            lambda a, m: editing.associate(a, m.pk, m.pk, relation="updates"),
        ):
            with pytest.raises(NotFound):
                attempt(actor, hidden)


def test_forgetting_takes_out_of_recall_and_restoring_brings_back(
    known: Any, team: Any, memory: Any, mia: Any
) -> None:
    editing.forget_memory(team.moderator, memory.pk)
    editing.forget_memory(team.moderator, memory.pk)
    assert MemoryEdit.objects.filter(action="forgotten").count() == 1
    assert known.recall("office", mia) == []
    assert known.recall("", mia, mode="recent") == []
    editing.restore_memory(team.moderator, memory.pk)
    editing.restore_memory(team.moderator, memory.pk)
    assert [each.id for each in known.recall("office", mia)] == [memory.pk]


def test_a_memory_whose_place_was_taken_cannot_be_restored(known: Any, team: Any, memory: Any) -> None:
    editing.forget_memory(team.moderator, memory.pk)
    known.know("The office is in Berlin")
    with pytest.raises(Conflict):
        editing.restore_memory(team.moderator, memory.pk)


def test_opening_a_private_memory_is_audited_and_up_to_its_person(
    known: Any, team: Any, private: Any, otto: Any
) -> None:
    with pytest.raises(Forbidden):
        editing.change_audience(team.member, private.pk, types.ORGANIZATION)
    with pytest.raises(Forbidden):
        editing.change_audience(team.member, private.pk, types.person(otto.pk))
    assert known.recall("job", otto) == []
    room = known.know("The room is warm").pk
    editing.change_audience(team.moderator, room, types.person(known.person("moderator").pk))
    editing.change_audience(team.moderator, room, types.ORGANIZATION, reason="asked to")
    editing.change_audience(team.moderator, room, types.ORGANIZATION)
    assert [each.id for each in known.recall("room", otto)] == [room]
    events = AuditEvent.objects.filter(action="memory.audience_changed")
    assert [event.detail["after"]["audience"] for event in events] == ["person", "organization"]


def test_a_person_vouches_for_what_came_from_outside(known: Any, team: Any) -> None:
    found = known.know("Answer in English", provenance=Provenance(source=Source.WEB, trusted=False))
    editing.edit_memory(team.moderator, found.pk, pinned=True)
    found.refresh_from_db()
    assert found.trusted is False
    edited = editing.edit_memory(team.moderator, found.pk, type="preference")
    assert (edited.type, edited.trusted) == ("preference", True)


def test_a_profile_cannot_be_made_or_unmade_by_an_edit(known: Any, team: Any, memory: Any) -> None:
    with pytest.raises(InvalidInput):
        editing.edit_memory(team.moderator, memory.pk, type="human")


def test_an_edge_is_drawn_once_and_removed_once(known: Any, team: Any, memory: Any) -> None:
    other = known.know("Berlin has a river")
    editing.associate(team.moderator, memory.pk, other.pk, relation="related_to", weight=0.4)
    editing.associate(team.moderator, memory.pk, other.pk, relation="related_to", weight=0.7)
    assert Association.objects.get().weight == 0.7
    assert [edge.target_id for edge in queries.list_edges(team.member, [memory.pk])] == [other.pk]
    assert editing.dissociate(team.moderator, memory.pk, other.pk, relation="related_to")
    assert not editing.dissociate(team.moderator, memory.pk, other.pk, relation="related_to")
    with pytest.raises(InvalidInput):
        editing.associate(team.moderator, memory.pk, memory.pk, relation="related_to")


def test_edges_and_inbox_show_only_what_both_ends_allow(
    known: Any, team: Any, memory: Any, private: Any
) -> None:
    known.know(
        "Mia stays", heard_by=types.person(private.audience_person_id), contradicts=[private.pk, memory.pk]
    )
    assert queries.list_edges(team.owner, [memory.pk]) == []
    assert queries.list_inbox(team.owner) == []
    assert len(queries.list_inbox(team.member)) == 2


def test_a_memory_entered_by_hand_needs_an_audience_one_belongs_to(
    known: Any, team: Any, mia: Any, otto: Any
) -> None:
    entry = {"agent_id": team.agent.pk, "type": "fact", "content": "Tea at four"}
    assert editing.create_memory(team.member, **entry, heard_by=types.person(mia.pk)).created
    for heard_by in (types.ORGANIZATION, types.person(otto.pk)):
        with pytest.raises(Forbidden):
            editing.create_memory(team.member, **entry, heard_by=heard_by)
    assert editing.create_memory(team.moderator, **entry, heard_by=types.ORGANIZATION).created
