from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Conflict, InvalidInput, NotFound
from memory import types
from memory.models import Association, InboxItem, Memory
from memory.services import editing
from memory.services.consolidation import Merge, consolidate, undo_consolidation
from memory.services.inbox import resolve
from memory.types import SYSTEM


@pytest.fixture
def pair(known: Any) -> tuple[Memory, Memory]:
    apart = known.know("Sun shines")
    first = known.know("The office opens at nine", importance=0.3)
    return first, known.know(
        "Doors are unlocked at 9 am", importance=0.8, related=[(apart.pk, "part_of", 0.4)]
    )


def merge(known: Any, first: Memory, *others: Memory, content: str = "Doors open at nine") -> Any:
    return consolidate(
        **known.shelf, merges=[Merge(first.pk, frozenset(o.pk for o in others), content)], author=SYSTEM
    )


def edges() -> set[tuple[int, int, str]]:
    return set(Association.objects.values_list("source_id", "target_id", "relation"))


def test_a_merge_leaves_one_memory_with_the_edges_of_both(known: Any, pair: Any, mia: Any) -> None:
    first, second = pair
    (edge,) = edges()
    merge(known, first, second)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.content, first.importance, second.superseded_by) == ("Doors open at nine", 0.8, first)
    assert edges() == {(first.pk, edge[1], "part_of"), (first.pk, second.pk, "updates")}
    assert known.recall("doors", mia)[0].id == first.pk
    assert second.pk not in {each.id for each in known.recall("doors unlocked", mia, limit=50)}


def test_a_merge_can_be_taken_back_once(known: Any, pair: Any, mia: Any) -> None:
    first, second = pair
    before = edges()
    (done,) = merge(known, first, second)
    for _ in range(2):
        undo_consolidation(known.team.organization.pk, done.pk, author=SYSTEM)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.content, first.importance) == ("The office opens at nine", 0.3)
    assert second.is_live
    assert edges() == before
    assert known.recall("unlocked", mia)[0].id == second.pk


def test_a_merge_that_was_edited_since_stays(known: Any, team: Any, pair: Any) -> None:
    (done,) = merge(known, *pair)
    editing.edit_memory(team.moderator, pair[0].pk, content="Doors open at ten")
    with pytest.raises(Conflict):
        undo_consolidation(known.team.organization.pk, done.pk, author=SYSTEM)


def test_what_differs_in_type_audience_or_person_is_not_merged(
    known: Any, pair: Any, mia: Any, otto: Any
) -> None:
    first, second = pair
    profile = known.know("Mia leads sales", type="human", about_id=mia.pk)
    for other in (
        known.know("Open at nine", type="goal"),
        known.know("Opens at nine, they say", heard_by=types.person(mia.pk)),
        known.know("Otto cooks", type="human", about_id=otto.pk),
    ):
        with pytest.raises(InvalidInput):
            merge(known, profile if other.type == "human" else first, other)
    second.refresh_from_db()
    assert second.is_live


def test_all_or_nothing(known: Any, pair: Any) -> None:
    first, second = pair
    third = known.know("Windows are closed at night")
    merges = [Merge(first.pk, frozenset({second.pk}), "One"), Merge(third.pk, frozenset({987_654}), "Two")]
    with pytest.raises(NotFound):
        consolidate(**known.shelf, merges=merges, author=SYSTEM)
    assert Memory.objects.filter(superseded_at=None).count() == 4


def test_another_tenants_memories_are_not_there(known: Any, rivals_known: Any, pair: Any) -> None:
    theirs = rivals_known.know("Their office opens at nine")
    with pytest.raises(NotFound):
        merge(known, pair[0], theirs)
    (done,) = merge(known, *pair)
    with pytest.raises(NotFound):
        undo_consolidation(rivals_known.team.organization.pk, done.pk, author=SYSTEM)


@pytest.mark.parametrize(
    ("resolution", "live"),
    [("keep_first", [True, False]), ("keep_second", [False, True]), ("keep_both", [True, True])],
)
def test_people_decide_about_a_contradiction_once(
    known: Any, team: Any, resolution: Any, live: list[bool]
) -> None:
    first = known.know("Otto is allergic to nuts")
    second = known.know("Otto eats walnuts", contradicts=[first.pk])
    item = InboxItem.objects.get()
    resolve(team.moderator, item.pk, resolution=resolution)
    first.refresh_from_db()
    second.refresh_from_db()
    assert [first.is_live, second.is_live] == live
    with pytest.raises(Conflict):
        resolve(team.moderator, item.pk, resolution=resolution)


def test_people_can_merge_what_was_offered(known: Any, team: Any, rivals: Any) -> None:
    first = known.know("Otto is allergic to nuts")
    known.know("Otto eats walnuts", contradicts=[first.pk])
    item = InboxItem.objects.get()
    with pytest.raises(NotFound):
        resolve(rivals.owner, item.pk, resolution="merge", content="x")
    resolve(team.moderator, item.pk, resolution="merge", content="Otto eats walnuts but no other nuts")
    first.refresh_from_db()
    assert first.content == "Otto eats walnuts but no other nuts"
    item.refresh_from_db()
    assert item.resolution == "merged"
