"""Merging, taking back, erasing and finding memories over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from memory import types
from memory.models import Consolidation, Memory, MemoryEdit
from tests.api.conftest import Api, as_token
from tests.api.test_memory import contents, know, last_audit


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


@pytest.fixture
def pair(acme: Any) -> tuple[Memory, Memory]:
    return know(acme, "The office opens at nine."), know(acme, "Doors are unlocked in the morning.")


def merge(api: Api, acme: Any, first: Memory, *others: Memory) -> Any:
    one = {
        "survivor_id": first.pk,
        "absorbed_ids": [each.pk for each in others],
        "content": "Doors open at nine.",
    }
    return api.post("/memories/merges", {"agent_id": acme.agent.pk, "merges": [one]})


def test_a_merge_is_made_listed_and_taken_back(acme: Any, others: Any, pair: tuple[Memory, Memory]) -> None:
    first, second = pair
    member = as_token(acme.member)
    made = merge(member, acme, first, second)
    assert made.status_code == 201
    assert made.json()[0]["absorbed_ids"] == [second.pk]
    assert last_audit(acme).action == "memory.merged"
    assert contents(member.get("/memories")) == ["Doors open at nine."]
    [listed] = member.get(f"/memories/merges?survivor_id={first.pk}").json()["items"]
    undo = f"/memories/merges/{listed['id']}/undo"
    for stranger in (acme.owner, others.owner):
        assert as_token(stranger).get("/memories/merges").json()["items"] == []
        assert as_token(stranger).post(undo, {}).status_code == 404
    for _ in range(2):
        assert member.post(undo, {}).json()["content"] == "The office opens at nine."
    assert last_audit(acme).action == "memory.merge_undone"
    assert member.get("/memories/merges").json()["items"][0]["undone_at"] is not None
    assert len(contents(member.get("/memories"))) == 2


def test_what_cannot_be_merged_is_left_as_it_is(acme: Any, others: Any, pair: tuple[Memory, Memory]) -> None:
    first, second = pair
    member = as_token(acme.member)
    shared = know(acme, "Everyone knows the door.", heard_by=types.ORGANIZATION)
    assert merge(member, acme, first, shared).status_code == 403
    assert merge(as_token(acme.owner), acme, first, second).status_code == 404
    assert merge(as_token(others.owner), acme, first, second).status_code == 404
    assert merge(member, acme, first, know(acme, "Tea is green.", type="preference")).status_code == 422
    assert not Consolidation.objects.exists()


def test_a_merge_whose_memory_was_changed_stays(acme: Any, pair: tuple[Memory, Memory]) -> None:
    member = as_token(acme.member)
    made = merge(member, acme, *pair).json()[0]
    member("PATCH", f"/memories/{made['survivor_id']}", {"content": "Doors open at eight."})
    assert member.post(f"/memories/merges/{made['id']}/undo", {}).status_code == 409


def test_an_erased_memory_is_gone_with_its_history(acme: Any, others: Any) -> None:
    memory = know(acme, "Mia likes green tea.")
    path, member = f"/memories/{memory.pk}", as_token(acme.member)
    member("PATCH", path, {"content": "Mia likes black tea."})
    for stranger in (acme.owner, others.owner):
        assert as_token(stranger)("DELETE", path).status_code == 404
    assert member("DELETE", path).status_code == 204
    assert member("DELETE", path).status_code == 404
    assert (Memory.objects.count(), MemoryEdit.objects.count()) == (0, 0)
    event = last_audit(acme)
    assert event.action == "memory.erased"
    assert "tea" not in str(event.detail)


def test_what_everyone_knows_is_erased_by_moderators(acme: Any) -> None:
    memory = know(acme, "The office closes at six.", heard_by=types.ORGANIZATION)
    assert as_token(acme.member)("DELETE", f"/memories/{memory.pk}").status_code == 403
    assert as_token(acme.moderator)("DELETE", f"/memories/{memory.pk}").status_code == 204


def test_an_erased_part_of_a_merge_does_not_come_back(acme: Any, pair: tuple[Memory, Memory]) -> None:
    first, second = pair
    member = as_token(acme.member)
    made = merge(member, acme, first, second).json()[0]
    assert member("DELETE", f"/memories/{second.pk}").status_code == 204
    assert member.post(f"/memories/merges/{made['id']}/undo", {}).status_code == 404
    assert contents(member.get("/memories")) == ["Doors open at nine."]


def test_the_list_sorts_and_its_cursor_follows_the_order(acme: Any) -> None:
    weights = {"Tea is green.": 0.2, "The door is blue.": 0.9, "Lunch is at noon.": 0.9, "Rain falls.": 0.5}
    for content, importance in weights.items():
        know(acme, content, importance=importance)
    member, cursor, seen = as_token(acme.member), "", []
    while True:
        answer = member.get(f"/memories?sort=importance&limit=1{cursor}").json()
        seen += [each["content"] for each in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert seen == ["Lunch is at noon.", "The door is blue.", "Rain falls.", "Tea is green."]
    assert contents(member.get("/memories?sort=oldest")) == list(weights)


def test_the_list_filters_by_time_source_and_what_replaced_it(acme: Any) -> None:
    old = know(acme, "The release is on Thursday.", provenance=types.Provenance(source="web", trusted=False))
    know(acme, "The launch happens on Monday.", supersedes=old.pk)
    member = as_token(acme.member)
    assert contents(member.get("/memories?state=superseded")) == [old.content]
    assert contents(member.get("/memories?source=web")) == []
    assert contents(member.get("/memories?since=2100-01-01T00:00:00Z")) == []
    assert contents(member.get("/memories?until=2100-01-01T00:00:00Z")) == ["The launch happens on Monday."]
    assert member.get("/memories?since=2100-01-01T00:00:00").status_code == 422
