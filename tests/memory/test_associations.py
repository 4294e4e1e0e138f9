from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from memory import types
from memory.models import Association, InboxItem, Memory, Relation
from memory.services import editing
from memory.services.associations import MOST_NEIGHBOURS, Mark, Pass, associate_new, weight_for
from memory.services.saving import connect
from tests.memory.conftest import Knowledge

NOW = timedelta(0)


def at_angle(memory: Memory, likeness: float) -> None:
    """Give a memory a vector whose likeness to the first axis is as given."""
    vector = [0.0] * 384
    vector[0], vector[1] = likeness, math.sqrt(1 - likeness**2)
    Memory.objects.filter(pk=memory.pk).update(embedding=vector, embedder="hashing")


def on_axis(known: Knowledge, content: str, likeness: float = 1.0, **more: Any) -> Memory:
    memory = known.know(content, **more)
    at_angle(memory, likeness)
    return memory


def look(known: Knowledge, mark: Mark = Mark(), **more: Any) -> Pass:  # noqa: B008  frozen
    return associate_new(known.team.organization.pk, known.team.agent.pk, mark, settled=NOW, **more)


def edges() -> list[tuple[int, int, str, float]]:
    rows = Association.objects.order_by("source_id", "target_id")
    return list(rows.values_list("source_id", "target_id", "relation", "weight"))


@pytest.mark.parametrize(
    ("likeness", "weight"), [(0.849, None), (0.851, 0.5033), (0.925, 0.75), (0.999, 0.9967)]
)
def test_memories_are_tied_from_085_on_the_more_alike_the_stronger(
    known: Knowledge, likeness: float, weight: float | None
) -> None:
    first, second = on_axis(known, "deploy day is Thursday"), on_axis(known, "pears grow on trees", likeness)
    look(known)
    if weight is None:
        assert edges() == []
        return
    assert [edge[:3] for edge in edges()] == [(second.pk, first.pk, "related_to")]
    assert edges()[0][3] == pytest.approx(weight, abs=1e-3)


def test_the_weight_runs_from_a_half_to_one() -> None:
    assert weight_for(0.85) == 0.5
    assert weight_for(1.0) == weight_for(1.01) == 1.0


def test_nearly_the_same_is_put_before_people_and_never_merged(known: Knowledge) -> None:
    first, second = on_axis(known, "deploy day is Thursday"), on_axis(known, "pears grow on trees", 0.96)
    third = on_axis(known, "an event", 0.97, type="event")
    done = look(known)
    assert done.offered == 1
    item = InboxItem.objects.get()
    assert {item.first_id, item.second_id} == {first.pk, second.pk}
    assert all(row.is_live for row in Memory.objects.filter(pk__in=[first.pk, second.pk, third.pk]))


def test_running_again_changes_nothing_whether_from_the_mark_or_from_the_beginning(known: Knowledge) -> None:
    for number in range(6):
        on_axis(known, f"thing number {number} of many", 1 - number / 50)
    first = look(known)
    before = (edges(), list(InboxItem.objects.values_list("pk", flat=True)))
    assert first.drawn > 0
    again, from_the_start = look(known, first.mark), look(known)
    assert (again.looked_at, again.drawn, again.removed, again.offered) == (0, 0, 0, 0)
    assert (from_the_start.looked_at, from_the_start.drawn, from_the_start.removed) == (6, 0, 0)
    assert (edges(), list(InboxItem.objects.values_list("pk", flat=True))) == before


def test_what_was_decided_is_not_asked_again(known: Knowledge) -> None:
    on_axis(known, "deploy day is Thursday")
    on_axis(known, "pears grow on trees", 0.99)
    look(known)
    InboxItem.objects.update(resolved_at=timezone.now(), resolution="keep_both")
    assert look(known).offered == 0
    assert InboxItem.objects.filter(resolved_at=None).count() == 0


def test_memories_of_different_audiences_are_never_tied(known: Knowledge, mia: Any, otto: Any) -> None:
    on_axis(known, "deploy day is Thursday")
    on_axis(known, "deploy day is Thursday", heard_by=types.person(mia.pk))
    on_axis(known, "deploy day is Thursday", heard_by=types.person(otto.pk))
    look(known)
    assert edges() == []
    assert not InboxItem.objects.exists()


def test_another_tenant_and_another_agent_are_never_tied(known: Knowledge, rivals_known: Knowledge) -> None:
    on_axis(known, "deploy day is Thursday")
    on_axis(rivals_known, "deploy day is Thursday")
    Memory.objects.filter(pk=on_axis(known, "pears grow on trees").pk).update(agent_id=999)
    look(known)
    look(rivals_known)
    assert edges() == []


def test_profiles_and_identity_are_left_alone(known: Knowledge, mia: Any) -> None:
    on_axis(known, "deploy day is Thursday")
    on_axis(known, "Mia deploys on Thursday", type="human", about_id=mia.pk)
    on_axis(known, "I deploy on Thursday", type="identity")
    assert look(known).looked_at == 1
    assert edges() == []


def test_what_is_retired_is_not_tied(known: Knowledge) -> None:
    gone = on_axis(known, "deploy day is Thursday")
    on_axis(known, "pears grow on trees")
    editing.forget_memory(known.team.moderator, gone.pk)
    look(known)
    assert edges() == []


def test_an_edge_goes_when_a_memory_says_something_else(known: Knowledge) -> None:
    first, second = on_axis(known, "deploy day is Thursday"), on_axis(known, "pears grow on trees", 0.9)
    mark = look(known).mark
    editing.edit_memory(known.team.moderator, second.pk, content="apples fall in autumn")
    at_angle(second, 0.2)
    done = look(known, mark)
    assert (done.looked_at, done.removed) == (1, 1)
    assert edges() == []
    assert first.pk


def test_an_edge_goes_when_fewer_may_hear_one_end(known: Knowledge, mia: Any) -> None:
    on_axis(known, "deploy day is Thursday")
    second = on_axis(known, "pears grow on trees", 0.9)
    mark = look(known).mark
    Memory.objects.filter(pk=second.pk).update(
        audience="person", audience_person=mia, updated_at=timezone.now()
    )
    look(known, mark)
    assert edges() == []


def test_what_a_person_drew_stays_as_it_is(known: Knowledge) -> None:
    first, second = on_axis(known, "deploy day is Thursday"), on_axis(known, "pears grow on trees", 0.9)
    connect(first, second.pk, Relation.CAUSED_BY, 0.3)
    assert look(known).drawn == 0
    at_angle(second, 0.1)
    Memory.objects.filter(pk=second.pk).update(updated_at=timezone.now())
    assert look(known).removed == 0
    assert edges() == [(first.pk, second.pk, "caused_by", 0.3)]


def test_a_memory_is_tied_to_its_ten_nearest_at_most(known: Knowledge) -> None:
    others = [on_axis(known, f"other {number} of the same", 0.99 - number / 500) for number in range(14)]
    newest = on_axis(known, "the newest one of them")
    mark = Mark(Memory.objects.get(pk=others[-1].pk).updated_at, others[-1].pk, "hashing")
    look(known, mark)
    tied = {target for source, target, *_ in edges() if source == newest.pk}
    assert tied == {each.pk for each in others[:MOST_NEIGHBOURS]}


def test_a_pass_stops_after_so_many_edges_and_the_next_goes_on(known: Knowledge) -> None:
    for number in range(6):
        on_axis(known, f"thing number {number} of many", 1 - number / 100)
    passes, mark = [], Mark()
    while True:
        passes.append(look(known, mark, most_edges=4))
        mark = passes[-1].mark
        if not passes[-1].is_behind:
            break
    assert len(passes) > 1
    assert len(edges()) == 15


def test_a_pass_waits_for_vectors_instead_of_passing_them_by(known: Knowledge) -> None:
    on_axis(known, "deploy day is Thursday")
    late = on_axis(known, "pears grow on trees", 0.9)
    Memory.objects.filter(pk=late.pk).update(embedding=None, embedder="")
    done = look(known)
    assert done.waits
    assert done.looked_at == 1
    at_angle(late, 0.9)
    assert look(known, done.mark).drawn == 1


def test_what_was_saved_a_moment_ago_waits_until_others_have_committed(known: Knowledge) -> None:
    on_axis(known, "deploy day is Thursday")
    assert associate_new(known.team.organization.pk, known.team.agent.pk, Mark()).looked_at == 0


def test_after_a_change_of_the_embedder_everything_is_looked_at_again(
    known: Knowledge, settings: Any
) -> None:
    on_axis(known, "deploy day is Thursday")
    done = look(known)
    assert Mark.read(done.mark.store()) == done.mark
    settings.SPACEBOT_EMBEDDER = "hashing:other"
    Memory.objects.update(embedder="hashing:other")
    assert look(known, done.mark).looked_at == 1
