"""Taking a file away: what goes, what stays, and what was under way."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Forbidden, NotFound
from accounts.models import AuditEvent
from llm.clients.scripted import Scripted
from llm.types import ChatRequest
from memory import types
from memory.ingestion import store
from memory.ingestion.removal import remove_file
from memory.models import IngestedFile, Memory, MemoryEdit
from memory.services.editing import change_audience, restore_memory
from tests.memory.ingestion.conftest import Desk, note_every_line


def given(desk: Desk, name: str, data: str, **more: Any) -> IngestedFile:
    return desk.upload(name, data, **more).file


def test_what_a_file_taught_stays_unless_it_is_to_be_forgotten(desk: Desk) -> None:
    desk.use_model()
    file = given(desk, "a.txt", "The office is in Ulm.")
    desk.settle()
    assert remove_file(desk.team.moderator, file.pk) == 0
    memory = Memory.objects.get()
    assert (memory.is_live, memory.file_id, memory.source_name) == (True, None, "a.txt")
    with pytest.raises(NotFound):
        remove_file(desk.team.moderator, file.pk)


def test_only_what_this_file_taught_is_forgotten_and_each_can_be_restored(desk: Desk) -> None:
    desk.use_model()
    file = given(desk, "a.txt", "The office is in Ulm.\nIt opens in May.")
    given(desk, "b.txt", "Tea is in the kitchen.")
    desk.settle()
    assert remove_file(desk.team.moderator, file.pk, forget=True) == 2
    live = Memory.objects.filter(forgotten_at=None)
    assert list(live.values_list("content", flat=True)) == ["Tea is in the kitchen."]
    edit = MemoryEdit.objects.first()
    assert edit is not None
    assert (edit.action, edit.user) == ("forgotten", desk.team.moderator.user)
    assert restore_memory(desk.team.moderator, edit.memory_id).is_live
    trail = AuditEvent.objects.get(action="memory.file_removed")
    assert trail.detail["memories_forgotten"] == 2
    assert "Ulm" not in str(trail.detail)


def test_members_and_strangers_remove_nothing(desk: Desk) -> None:
    file = given(desk, "a.txt", "x")
    mine = given(desk, "b.txt", "y", audience="person")
    with pytest.raises(Forbidden):
        remove_file(desk.team.member, file.pk, forget=True)
    for actor, pk in ((desk.rivals.owner, file.pk), (desk.team.owner, mine.pk)):
        with pytest.raises(NotFound):
            remove_file(actor, pk, forget=True)
    assert IngestedFile.objects.count() == 2


def test_a_memory_that_others_keep_to_themselves_is_left(desk: Desk) -> None:
    desk.use_model()
    file = given(desk, "a.txt", "The office is in Ulm.")
    desk.settle()
    memory = Memory.objects.get()
    person = desk.person_of(desk.team.owner)
    change_audience(desk.team.owner, memory.pk, types.person(person.pk))
    assert remove_file(desk.team.moderator, file.pk, forget=True) == 0
    memory.refresh_from_db()
    assert memory.is_live


def test_the_content_goes_with_the_last_file_that_has_it(desk: Desk) -> None:
    shared, own = given(desk, "a.txt", "x"), given(desk, "a.txt", "x", audience="person")
    path = store.path_of(desk.team.organization.pk, own.digest)
    remove_file(desk.team.moderator, shared.pk)
    assert path.exists()
    remove_file(desk.team.moderator, own.pk)
    assert not path.exists()


def test_a_file_removed_while_it_is_read_teaches_nothing_more(desk: Desk) -> None:
    file = given(desk, "a.txt", "The office is in Ulm.")

    def answer(request: ChatRequest) -> Scripted:
        remove_file(desk.team.moderator, file.pk, forget=True)
        return note_every_line(request)

    desk.use_model(answer)
    desk.settle()
    assert not Memory.objects.exists()
    assert not IngestedFile.objects.exists()


def test_removed_and_forgotten_content_can_be_given_anew(desk: Desk) -> None:
    desk.use_model()
    file = given(desk, "a.txt", "The office is in Ulm.")
    desk.settle()
    remove_file(desk.team.moderator, file.pk, forget=True)
    given(desk, "a.txt", "The office is in Ulm.")
    desk.settle()
    assert list(Memory.objects.filter(forgotten_at=None).values_list("content", flat=True)) == [
        "The office is in Ulm."
    ]
