"""Opening a memory opens what it says now, not what it said while it was for others; and what an erasure leaves."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Conflict
from memory import queries, types
from memory.importance import importance_now
from memory.jobs import upkeep
from memory.listing import list_memories
from memory.models import CommonTerm, InboxItem, Memory, Posting, Shelf
from memory.services import editing
from memory.services.consolidation import Merge, consolidate, undo_consolidation
from memory.services.erasure import erase_person
from memory.types import SYSTEM


def test_who_hears_it_now_does_not_read_what_it_said_before(known: Any, team: Any) -> None:
    mona = types.person(known.person("moderator").pk)
    memory = known.know("Mona earns a fortune", heard_by=mona)
    editing.edit_memory(team.moderator, memory.pk, content="Mona works in sales")
    editing.change_audience(team.moderator, memory.pk, types.ORGANIZATION)
    editing.edit_memory(team.owner, memory.pk, content="Mona leads sales")
    shown = {
        actor.role: [edit.action for edit in queries.list_edits(actor, memory.pk)]
        for actor in (team.moderator, team.member)
    }
    assert shown["moderator"] == ["edited", "audience", "edited"]
    assert shown["member"] == ["edited"]
    assert "fortune" not in str([edit.before for edit in queries.list_edits(team.member, memory.pk)])


def test_a_merge_is_not_taken_back_before_new_ears(known: Any, team: Any) -> None:
    mona = types.person(known.person("moderator").pk)
    first = known.know("Mona earns a fortune", heard_by=mona)
    second = known.know("Mona is in sales", heard_by=mona)
    (done,) = consolidate(
        **known.shelf, merges=[Merge(first.pk, frozenset({second.pk}), "Mona sells")], author=SYSTEM
    )
    editing.change_audience(team.moderator, first.pk, types.ORGANIZATION)
    with pytest.raises(Conflict):
        undo_consolidation(team.organization.pk, done.pk, author=SYSTEM)
    first.refresh_from_db()
    assert first.content == "Mona sells"


def test_upkeep_any_number_of_times_changes_no_memory(known: Any, mia: Any) -> None:
    for number in range(30):
        known.know(f"The lamp in room {number} is broken", even_if_similar=True, importance=number / 30)

    def everything() -> list[Any]:
        figures = [list(model.objects.order_by("pk").values()) for model in (Memory, Posting)]
        terms = list(CommonTerm.objects.order_by("term").values_list("term", "documents"))
        return [
            str(figures), terms, list(Shelf.objects.values_list("documents", flat=True)),
            [each.id for each in known.recall("lamp in room 7", mia)],
        ]  # fmt: skip

    upkeep()
    before = everything()
    for _ in range(5):
        upkeep()
    assert everything() == before
    assert importance_now(0.5, type="fact", age_days=10) == importance_now(0.5, type="fact", age_days=10)


def test_supersession_keeps_the_old_text_and_tells_only_the_new(known: Any, mia: Any, team: Any) -> None:
    old = known.know("The office opens at nine")
    new = known.know("The office opens at ten", supersedes=old.pk)
    old.refresh_from_db()
    assert (old.content, old.superseded_by, old.is_live) == ("The office opens at nine", new, False)
    assert [each.id for each in known.recall("when does the office open", mia)] == [new.pk]
    assert [memory.pk for memory in list_memories(team.member)] == [new.pk]
    again = known.save("The office opens at ten", supersedes=old.pk)
    assert (again.created, again.memory) == (False, new)


def test_an_erasure_leaves_no_trace_in_any_table_and_counts_it(known: Any, team: Any, mia: Any) -> None:
    first = known.know("Mia collects stamps", about_id=mia.pk)
    second = known.know("Mia collects coins", about_id=mia.pk, contradicts=[first.pk])
    third = known.know("Mia has a stamp of Lyon", about_id=mia.pk)
    consolidate(
        **known.shelf, merges=[Merge(second.pk, frozenset({third.pk}), "Mia collects")], author=SYSTEM
    )
    result = erase_person(team.organization.pk, mia.pk)
    assert result.left["traces"] == 0
    assert result.is_complete
    assert not Posting.objects.exists()
    assert not InboxItem.objects.exists()
