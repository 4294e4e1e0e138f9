"""Memories over HTTP: what one may hear, change and decide, and nothing of others."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, Person
from memory import types
from memory.models import InboxItem, Memory, MemoryEdit
from memory.services.saving import save_memory
from messaging.services.conversations import start_conversation
from tests.api.conftest import Api, as_token
from tests.api.test_requests import is_problem


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def person_of(actor: Any) -> Person:
    return Person.objects.get(organization=actor.organization, user=actor.user)


def know(team: Any, content: str, *, heard_by: types.HeardBy | None = None, **more: Any) -> Memory:
    """Save what the member alone may hear, unless another audience is named."""
    saved = save_memory(
        organization_id=team.organization.pk,
        agent_id=team.agent.pk,
        type=more.pop("type", "fact"),
        content=content,
        heard_by=heard_by or types.person(person_of(team.member).pk),
        **more,
    )
    assert saved.memory is not None
    return saved.memory


def contents(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [each["content"] for each in response.json()["items"]]


def last_audit(team: Any) -> AuditEvent:
    return AuditEvent.objects.filter(organization=team.organization).latest("number")


def test_everyone_lists_what_they_may_hear_and_nothing_else(acme: Any, others: Any) -> None:
    know(acme, "Mia likes green tea.")
    know(acme, "The office closes at six.", heard_by=types.ORGANIZATION)
    know(others, "Somewhere else entirely.", heard_by=types.ORGANIZATION)
    assert contents(as_token(acme.member).get("/memories")) == [
        "The office closes at six.",
        "Mia likes green tea.",
    ]
    for actor in (acme.owner, acme.other_member):
        assert contents(as_token(actor).get("/memories")) == ["The office closes at six."]
    assert contents(as_token(others.owner).get("/memories")) == ["Somewhere else entirely."]


def test_the_list_filters_and_goes_on_by_its_cursor(acme: Any) -> None:
    api, mia = as_token(acme.member), person_of(acme.member)
    tea = know(acme, "Mia likes green tea.", type="preference", about_id=mia.pk)
    know(acme, "The release is on Thursday.", type="decision", pinned=True)
    know(acme, "The office closes at six.", heard_by=types.ORGANIZATION)
    assert contents(api.get("/memories?type=preference&type=goal")) == [tea.content]
    assert contents(api.get("/memories?search=release")) == ["The release is on Thursday."]
    assert contents(api.get("/memories?audience=organization")) == ["The office closes at six."]
    assert contents(api.get("/memories?pinned=true")) == ["The release is on Thursday."]
    assert contents(api.get(f"/memories?person_id={mia.pk}")) == [tea.content]
    assert contents(api.get("/memories?state=forgotten")) == []
    first = api.get("/memories?limit=2").json()
    second = api.get(f"/memories?limit=2&cursor={first['next']}").json()
    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
    is_problem(api.get("/memories?type=nonsense"), 422)


def test_search_recalls_for_the_one_who_asks_alone(acme: Any, others: Any) -> None:
    know(acme, "Mia likes green tea.")
    path = f"/memories/search?query=green+tea&agent_id={acme.agent.pk}"
    assert [each["content"] for each in as_token(acme.member).get(path).json()] == ["Mia likes green tea."]
    assert as_token(acme.owner).get(path).json() == []
    is_problem(as_token(others.owner).get(path), 404)


def test_another_persons_memory_does_not_exist(acme: Any, others: Any) -> None:
    memory = know(acme, "Mia likes green tea.")
    for actor in (acme.owner, acme.other_member, others.owner):
        api = as_token(actor)
        is_problem(api.get(f"/memories/{memory.pk}"), 404)
        is_problem(api("PATCH", f"/memories/{memory.pk}", {"content": "x"}), 404)
        is_problem(api.post(f"/memories/{memory.pk}/forget", {}), 404)
        is_problem(api("PUT", f"/memories/{memory.pk}/audience", {"audience": "organization"}), 404)
    memory.refresh_from_db()
    assert (memory.content, memory.forgotten_at) == ("Mia likes green tea.", None)


def test_an_edit_keeps_the_old_text_and_is_audited_without_it(acme: Any) -> None:
    api, memory = as_token(acme.member), know(acme, "Mia likes green tea.")
    path, body = f"/memories/{memory.pk}", {"content": "Mia likes black tea.", "reason": "She said so."}
    assert api("PATCH", path, body).json()["content"] == "Mia likes black tea."
    assert api("PATCH", path, body).status_code == 200
    whole = api.get(path).json()
    assert [(edit["before"]["content"], edit["reason"]) for edit in whole["edits"]] == [
        ("Mia likes green tea.", "She said so.")
    ]
    entry = last_audit(acme)
    assert (entry.action, entry.detail["fields"]) == ("memory.edited", ["content"])
    assert "tea" not in str(entry.detail)


@pytest.mark.parametrize(
    "body", [{"content": ""}, {"content": "x" * 50_001}, {"importance": 2}, {"type": "secret"}, {"more": 1}]
)
def test_an_edit_that_makes_no_sense_is_refused(acme: Any, body: dict[str, Any]) -> None:
    memory = know(acme, "Mia likes green tea.")
    is_problem(as_token(acme.member)("PATCH", f"/memories/{memory.pk}", body), 422)
    assert not MemoryEdit.objects.exists()


def test_pinning_and_unpinning(acme: Any) -> None:
    api, memory = as_token(acme.member), know(acme, "Mia likes green tea.")
    for pinned in (True, True, False):
        assert api("PATCH", f"/memories/{memory.pk}", {"pinned": pinned}).json()["pinned"] is pinned
    assert MemoryEdit.objects.count() == 2


def test_what_is_forgotten_leaves_recall_and_can_come_back(acme: Any) -> None:
    api, memory = as_token(acme.member), know(acme, "Mia likes green tea.")
    path, search = f"/memories/{memory.pk}", f"/memories/search?query=green+tea&agent_id={acme.agent.pk}"
    for _ in range(2):
        assert api.post(f"{path}/forget", {"reason": "Old."}).json()["forgotten_at"]
    assert MemoryEdit.objects.count() == 1
    assert api.get(search).json() == []
    assert contents(api.get("/memories")) == []
    assert contents(api.get("/memories?state=forgotten")) == ["Mia likes green tea."]
    for _ in range(2):
        assert api("POST", f"{path}/restore").json()["forgotten_at"] is None
    assert [each["id"] for each in api.get(search).json()] == [memory.pk]
    assert [each.action for each in AuditEvent.objects.order_by("number") if "memory" in each.action] == [
        "memory.forgotten", "memory.restored",
    ]  # fmt: skip


def test_what_everyone_knows_is_changed_by_moderators(acme: Any) -> None:
    memory = know(acme, "The office closes at six.", heard_by=types.ORGANIZATION)
    path = f"/memories/{memory.pk}"
    is_problem(as_token(acme.member)("PATCH", path, {"content": "x"}), 403)
    is_problem(as_token(acme.member).post(f"{path}/forget", {}), 403)
    assert as_token(acme.moderator)("PATCH", path, {"content": "It closes at seven."}).status_code == 200


def test_only_a_moderator_lets_everyone_hear(acme: Any) -> None:
    mine = know(acme, "Mia likes green tea.")
    path = f"/memories/{mine.pk}/audience"
    is_problem(as_token(acme.member)("PUT", path, {"audience": "organization"}), 403)
    theirs = know(acme, "Mona likes coffee.", heard_by=types.person(person_of(acme.moderator).pk))
    changed = as_token(acme.moderator)("PUT", f"/memories/{theirs.pk}/audience", {"audience": "organization"})
    assert changed.json()["audience"] == "organization"
    assert last_audit(acme).action == "memory.audience_changed"
    is_problem(as_token(acme.moderator)("PUT", path, {"audience": "organization"}), 404)


@pytest.mark.parametrize("body", [{"audience": "person"}, {"audience": "organization", "person_id": 1}])
def test_an_audience_is_whole(acme: Any, body: dict[str, Any]) -> None:
    memory = know(acme, "Mia likes green tea.")
    is_problem(as_token(acme.member)("PUT", f"/memories/{memory.pk}/audience", body), 422)


def test_a_memory_is_entered_once_and_for_an_audience_of_ones_own(acme: Any, others: Any) -> None:
    api, mia = as_token(acme.member), person_of(acme.member)
    body = {
        "agent_id": acme.agent.pk, "type": "preference", "content": "Mia likes green tea.", "audience": "person",
        "person_id": mia.pk,
    }  # fmt: skip
    first, again = api.post("/memories", body), api.post("/memories", body)
    assert [first.status_code, again.status_code] == [201, 200]
    assert first.json()["memory"]["id"] == again.json()["memory"]["id"]
    assert (first.json()["memory"]["source"], last_audit(acme).action) == ("person", "memory.created")
    is_problem(api.post("/memories", {**body, "person_id": person_of(acme.owner).pk}), 403)
    is_problem(api.post("/memories", {**body, "person_id": person_of(others.owner).pk}), 404)
    is_problem(api.post("/memories", {**body, "agent_id": others.agent.pk}), 404)
    is_problem(api.post("/memories", {**body, "audience": "organization", "person_id": None}), 403)
    assert Memory.objects.count() == 1


def test_where_it_was_learned_shows_to_those_who_may_look_there(acme: Any) -> None:
    chat = start_conversation(acme.member, agent_id=acme.agent.pk, kind="dm")
    memory = know(
        acme, "The office closes at six.", heard_by=types.ORGANIZATION,
        provenance=types.Provenance(conversation_id=chat.pk, run_id=7),
    )  # fmt: skip
    shown = as_token(acme.member).get(f"/memories/{memory.pk}").json()
    hidden = as_token(acme.owner).get(f"/memories/{memory.pk}").json()
    assert (shown["conversation_id"], shown["run_id"]) == (chat.pk, 7)
    assert (hidden["conversation_id"], hidden["run_id"]) == (None, None)


def test_edges_are_drawn_shown_and_removed(acme: Any) -> None:
    api = as_token(acme.member)
    tea, shop = know(acme, "Mia likes green tea."), know(acme, "The shop on the corner sells leaves.")
    path = f"/memories/{tea.pk}/associations"
    for weight in (0.5, 0.9):
        drawn = api.post(path, {"target_id": shop.pk, "relation": "related_to", "weight": weight})
        assert drawn.status_code == 201
    edge = {"source_id": tea.pk, "target_id": shop.pk, "relation": "related_to", "weight": 0.9}
    assert api.get(path).json() == [edge]
    assert api.get(f"/memories/{shop.pk}").json()["edges"] == [edge]
    is_problem(api.post(path, {"target_id": tea.pk, "relation": "related_to"}), 422)
    is_problem(api.post(path, {"target_id": shop.pk, "relation": "knows"}), 422)
    for _ in range(2):
        assert api("DELETE", f"{path}/{shop.pk}/related_to").status_code == 204
    assert api.get(path).json() == []


def test_an_edge_to_what_one_may_not_hear_stays_unseen(acme: Any) -> None:
    mine = know(acme, "Mia likes green tea.")
    everyones = know(
        acme, "The office closes at six.", heard_by=types.ORGANIZATION, related=[(mine.pk, "related_to", 1)]
    )
    graph = f"/memories/graph?agent_id={acme.agent.pk}"
    seen, blind = as_token(acme.member).get(graph).json(), as_token(acme.owner).get(graph).json()
    assert ({each["id"] for each in seen["nodes"]}, len(seen["edges"])) == ({mine.pk, everyones.pk}, 1)
    assert [(each["id"], each["ties"]) for each in blind["nodes"]] == [(everyones.pk, 0)]
    assert blind["edges"] == []
    assert as_token(acme.owner).get(f"/memories/{everyones.pk}/associations").json() == []
    is_problem(as_token(acme.owner).get(f"{graph}&around={mine.pk}"), 404)


def test_the_graph_around_one_memory_is_its_neighbours(acme: Any) -> None:
    tea, shop, alone = know(acme, "Green tea."), know(acme, "The corner shop."), know(acme, "Something else.")
    api = as_token(acme.member)
    api.post(f"/memories/{tea.pk}/associations", {"target_id": shop.pk, "relation": "part_of"})
    found = api.get(f"/memories/graph?agent_id={acme.agent.pk}&around={shop.pk}").json()
    assert {each["id"] for each in found["nodes"]} == {tea.pk, shop.pk}
    assert alone.pk not in {each["id"] for each in found["nodes"]}


def contradiction(team: Any, **audience: Any) -> InboxItem:
    old = know(team, "The release is on Thursday.", **audience)
    know(team, "The launch happens next Monday at noon.", contradicts=[old.pk], **audience)
    return InboxItem.objects.get()


@pytest.mark.parametrize(
    ("resolution", "left"),
    [("keep_first", {"first"}), ("keep_second", {"second"}), ("keep_both", {"first", "second"})],
)
def test_a_contradiction_is_decided_once(acme: Any, resolution: str, left: set[str]) -> None:
    api, item = as_token(acme.member), contradiction(acme)
    assert [each["id"] for each in api.get("/memories/inbox").json()["items"]] == [item.pk]
    path = f"/memories/inbox/{item.pk}/resolve"
    assert api.post(path, {"resolution": resolution}).json()["resolution"] == resolution
    is_problem(api.post(path, {"resolution": "keep_both"}), 409)
    live = {
        name for name in ("first", "second") if Memory.objects.get(pk=getattr(item, f"{name}_id")).is_live
    }
    assert live == left
    assert api.get("/memories/inbox").json()["items"] == []
    assert last_audit(acme).action == "memory.decided"


def test_a_pair_is_merged_into_one_text(acme: Any) -> None:
    api, item = as_token(acme.member), contradiction(acme)
    body = {"resolution": "merge", "content": "The release was moved from Thursday to Monday."}
    assert api.post(f"/memories/inbox/{item.pk}/resolve", body).json()["resolution"] == "merged"
    assert contents(api.get("/memories")) == [body["content"]]


def test_others_neither_see_nor_decide(acme: Any, others: Any) -> None:
    item = contradiction(acme)
    for actor in (acme.owner, acme.other_member, others.owner):
        api = as_token(actor)
        assert api.get("/memories/inbox").json()["items"] == []
        is_problem(api.post(f"/memories/inbox/{item.pk}/resolve", {"resolution": "keep_both"}), 404)
    item.refresh_from_db()
    assert item.resolved_at is None


def test_what_everyone_knows_is_decided_by_moderators(acme: Any) -> None:
    item = contradiction(acme, heard_by=types.ORGANIZATION)
    path = f"/memories/inbox/{item.pk}/resolve"
    is_problem(as_token(acme.member).post(path, {"resolution": "keep_first"}), 403)
    assert as_token(acme.moderator).post(path, {"resolution": "keep_first"}).status_code == 200


def test_reading_and_writing_are_scopes_of_their_own(acme: Any) -> None:
    memory = know(acme, "Mia likes green tea.")
    reads: Api = as_token(acme.member, "memory:read")
    is_problem(reads("PATCH", f"/memories/{memory.pk}", {"content": "x"}), 403)
    is_problem(as_token(acme.member, "memory:write").get("/memories"), 403)
    assert reads.get("/memories").status_code == 200
