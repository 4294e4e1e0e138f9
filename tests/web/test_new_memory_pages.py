"""Entering, tying, erasing memories, and taking merges back, on their pages."""

from __future__ import annotations

from typing import Any

import pytest

from memory import types
from memory.models import Association, InboxItem, Memory
from memory.services.consolidation import Merge, consolidate
from tests.factories import Team
from tests.web.conftest import SignIn
from tests.web.test_memory_pages import contradiction, know, own, read


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def entered(team: Team, **more: str) -> dict[str, Any]:
    return {
        "agent": team.agent.pk, "type": "preference", "content": "Mia likes green tea.", "audience": "person", **more
    }  # fmt: skip


def test_a_memory_entered_by_hand_is_ones_own(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.member)
    assert "Everyone in" not in read(client, "/memory/new/").split("<form", 2)[-1]
    assert client.post("/memory/new/", entered(team, importance="80", pinned="on")).status_code == 302
    memory = Memory.objects.get()
    assert (memory.type, memory.importance, memory.pinned, memory.reach) == (
        "preference", 0.8, True, own(team.member).reach,
    )  # fmt: skip
    again = client.post("/memory/new/", entered(team)).content.decode()
    assert "known already" in again
    assert Memory.objects.count() == 1


@pytest.mark.parametrize(
    "bad", [{"content": " "}, {"agent": "x"}, {"type": "nonsense"}, {"importance": "much"}, {"audience": "organization"}]
)  # fmt: skip
def test_what_is_refused_stays_in_the_form(team: Team, sign_in: SignIn, bad: dict[str, str]) -> None:
    page = sign_in(team.member).post("/memory/new/", entered(team, **bad)).content.decode()
    assert 'role="alert"' in page
    assert not Memory.objects.exists()


def test_another_organizations_agent_is_not_there(team: Team, rivals: Team, sign_in: SignIn) -> None:
    page = sign_in(team.member).post("/memory/new/", entered(team, agent=str(rivals.agent.pk)))
    assert "no such agent" in page.content.decode()
    assert not Memory.objects.exists()


def test_what_is_nearly_known_is_stored_when_asked_twice(team: Team, sign_in: SignIn) -> None:
    know(team, "The release of the spring version is planned for Thursday in the early morning hours.")
    form = entered(
        team, type="fact", content="The release of the spring version is planned for Thursday in the early morning hour."
    )  # fmt: skip
    client = sign_in(team.member)
    assert "Nearly the same is known" in client.post("/memory/new/", form).content.decode()
    assert client.post("/memory/new/", {**form, "even_if_similar": "on"}).status_code == 302
    assert InboxItem.objects.count() == 1


def test_erasing_leaves_nothing_and_only_for_who_may(team: Team, sign_in: SignIn) -> None:
    memory = know(team, "The office closes at six.", heard_by=types.ORGANIZATION)
    path = f"/memory/{memory.pk}/"
    sign_in(team.member).post(path, {"act": "erase"})
    assert Memory.objects.exists()
    answer = sign_in(team.moderator).post(path, {"act": "erase"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/memory/"
    assert not Memory.objects.exists()
    assert sign_in(team.moderator).post(path, {"act": "erase"}).status_code == 404


def test_memories_are_tied_and_untied(team: Team, sign_in: SignIn) -> None:
    tea, shop = know(team, "Mia likes green tea."), know(team, "The corner shop sells leaves.")
    client, path = sign_in(team.member), f"/memory/{tea.pk}/"
    client.post(path, {"act": "associate", "target": shop.pk, "relation": "part_of"})
    assert "is part of" in read(client, path)
    assert "contains" in read(client, f"/memory/{shop.pk}/")
    client.post(path, {"act": "associate", "target": "x", "relation": "part_of"})
    client.post(path, {"act": "dissociate", "source": tea.pk, "target": shop.pk, "relation": "part_of"})
    assert not Association.objects.exists()


def test_a_merge_is_taken_back_on_the_page(team: Team, sign_in: SignIn) -> None:
    first, second = know(team, "The office opens at nine."), know(team, "Doors are unlocked in the morning.")
    merges = [Merge(first.pk, frozenset({second.pk}), "Doors open at nine.")]
    [done] = consolidate(
        organization_id=team.organization.pk, agent_id=team.agent.pk, merges=merges, author=types.SYSTEM
    )
    client, path = sign_in(team.member), f"/memory/{first.pk}/"
    assert "It took up 1 other" in read(client, path)
    client.post(path, {"act": "undo_merge", "merge": done.pk})
    assert "It took up" not in read(client, path)
    second.refresh_from_db()
    assert second.is_live


def test_a_decision_in_place_leaves_its_outcome_there(team: Team, sign_in: SignIn) -> None:
    item, client = contradiction(team), sign_in(team.member)
    form = {"item": item.pk, "resolution": "keep_second"}
    part = client.post("/memory/inbox/", form, headers={"HX-Request": "true"}).content.decode()
    assert f'id="pair-card-{item.pk}"' in part
    assert "Nothing to decide" in part
    again = client.post("/memory/inbox/", form, headers={"HX-Request": "true"}).content.decode()
    assert "no longer in use" in again
    other = sign_in(team.owner).post("/memory/inbox/", form, headers={"HX-Request": "true"})
    assert other.status_code == 404


def test_the_table_is_sorted_and_continued_in_any_order(
    team: Team, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacebot_site.web.memory_table.PAGE", 1)
    light = know(team, "Mia likes green tea.", importance=0.2)
    heavy = know(team, "The release is on Thursday.", importance=0.9)
    client = sign_in(team.member)
    for sort, order in {"importance": (heavy, light), "oldest": (light, heavy), "": (heavy, light)}.items():
        first = read(client, f"/memory/?sort={sort}")
        rest = read(client, f"/memory/?sort={sort}&after={order[0].pk}&part=rows")
        assert order[0].content in first, sort
        assert order[1].content not in first, sort
        assert order[1].content in rest, sort
        assert "<html" not in rest, sort


def test_time_person_source_and_replaced_ones_filter(team: Team, sign_in: SignIn) -> None:
    old = know(team, "The release is on Thursday.", provenance=types.Provenance(source="web", trusted=False))
    new = know(team, "The launch happens on Monday.", supersedes=old.pk)
    client = sign_in(team.member)
    for query, shown in {
        "state=superseded": [old], "state=all": [old, new], "source=web&state=all": [old], "source=web": [],
        "since=2100-01-01": [], "until=2000-01-01": [], "until=2100-01-01": [new], "since=nonsense": [new],
        "since=2026-99-99": [new], "person=999999": [],
    }.items():  # fmt: skip
        page = read(client, f"/memory/?{query}")
        assert [each for each in (old, new) if each.content in page] == shown, query
