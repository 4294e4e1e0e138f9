"""Working memory over HTTP: layer by layer, and what happened as far as one may hear it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person
from agents.models import Synthesis, WorkingEvent
from memory import types
from memory.services.saving import save_memory
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from tests.agents.working import happen
from tests.api.conftest import as_token


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def own(actor: Any) -> types.HeardBy:
    return types.person(Person.objects.get(organization=actor.organization, user=actor.user).pk)


def summaries(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [each["summary"] for each in response.json()["items"]]


def test_the_layers_are_what_the_prompt_tells_with_budgets_and_reasons(acme: Any) -> None:
    chat = start_conversation(acme.member, agent_id=acme.agent.pk, kind="dm")
    save_memory(
        organization_id=acme.organization.pk, agent_id=acme.agent.pk, type="fact", content="The office closes at six",
        heard_by=types.ORGANIZATION,
    )  # fmt: skip
    happen(acme, "Mia asked for a plan", where=chat)
    told = as_token(acme.member).get(f"/conversations/{chat.pk}/working-memory").json()
    assert told["mode"] == "full"
    assert [layer["number"] for layer in told["layers"]] == [1, 2, 3, 4, 5]
    identity, log, rooms, _, knowledge = told["layers"]
    assert "Spacebot" in identity["text"]
    assert identity["budget"] is None
    assert "Mia asked for a plan" in log["text"]
    assert (log["budget"], rooms["budget"], knowledge["budget"], knowledge["unit"]) == (
        1_500,
        300,
        500,
        "words",
    )
    assert 0 < log["used"] == log["tokens"] <= log["budget"]
    assert any("Event: system" in line["why"] for line in log["lines"])
    assert "closes at six" in knowledge["text"]
    assert knowledge["used"] == 5
    assert rooms["text"] == ""


def test_where_memory_is_off_only_identity_is_told(acme: Any) -> None:
    chat = start_conversation(acme.member, agent_id=acme.agent.pk, kind="dm")
    Conversation.objects.filter(pk=chat.pk).update(settings={"memory": "off"})
    told = as_token(acme.member).get(f"/conversations/{chat.pk}/working-memory").json()
    assert [layer["number"] for layer in told["layers"]] == [1]


def test_who_takes_no_part_sees_no_layers(acme: Any, others: Any) -> None:
    chat = start_conversation(acme.member, agent_id=acme.agent.pk, kind="dm")
    for actor in (acme.owner, others.owner):
        assert as_token(actor).get(f"/conversations/{chat.pk}/working-memory").status_code == 404
    assert (
        as_token(acme.member, "runs:read").get(f"/conversations/{chat.pk}/working-memory").status_code == 403
    )


def test_everyone_lists_the_events_they_may_hear(acme: Any, others: Any) -> None:
    chat = start_conversation(acme.member, agent_id=acme.agent.pk, kind="dm")
    happen(acme, "for Mia", where=chat)
    happen(acme, "for everyone, from a private talk", where=chat, heard_by=types.ORGANIZATION)
    happen(others, "elsewhere", heard_by=types.ORGANIZATION)
    path = f"/agents/{acme.agent.pk}/events"
    mine = as_token(acme.member).get(path).json()["items"]
    assert [each["summary"] for each in mine] == ["for everyone, from a private talk", "for Mia"]
    assert {each["conversation_id"] for each in mine} == {chat.pk}
    theirs = as_token(acme.owner).get(path).json()["items"]
    assert [(each["summary"], each["conversation_id"]) for each in theirs] == [
        ("for everyone, from a private talk", None)
    ]
    assert as_token(others.owner).get(path).status_code == 404
    assert as_token(acme.owner).get(f"{path}?conversation_id={chat.pk}").status_code == 404
    assert summaries(as_token(acme.member).get(f"{path}?conversation_id={chat.pk}")) == [
        "for everyone, from a private talk", "for Mia",
    ]  # fmt: skip


def test_events_are_filtered_and_paged(acme: Any) -> None:
    for number in range(3):
        happen(acme, f"event {number}", heard_by=types.ORGANIZATION)
    WorkingEvent.objects.filter(summary="event 0").update(type="decision", day="2026-01-01")
    api, path = as_token(acme.member), f"/agents/{acme.agent.pk}/events"
    assert summaries(api.get(f"{path}?type=decision")) == ["event 0"]
    assert summaries(api.get(f"{path}?day=2026-01-01")) == ["event 0"]
    first = api.get(f"{path}?limit=2")
    assert summaries(first) == ["event 2", "event 1"]
    assert summaries(api.get(f"{path}?limit=2&cursor={first.json()['next']}")) == ["event 0"]
    assert api.get(f"{path}?type=nonsense").status_code == 422


def test_summaries_are_listed_to_those_who_may_hear_them(acme: Any, others: Any) -> None:
    now = timezone.now()
    for heard_by, text in ((types.ORGANIZATION, "everyone"), (own(acme.member), "Mia alone")):
        for kind in ("intraday", "daily"):
            Synthesis.objects.create(
                organization=acme.organization, agent=acme.agent, audience=heard_by.audience,
                audience_person_id=heard_by.person_id, kind=kind, day=now.date(), text=f"{kind} for {text}",
                from_at=now, to_at=now, created_at=now,
            )  # fmt: skip
    path = f"/agents/{acme.agent.pk}/syntheses"
    mine = [each["text"] for each in as_token(acme.member).get(f"{path}?kind=daily").json()["items"]]
    assert mine == ["daily for Mia alone", "daily for everyone"]
    theirs = [each["text"] for each in as_token(acme.owner).get(f"{path}?day={now.date()}").json()["items"]]
    assert theirs == ["daily for everyone", "intraday for everyone"]
    assert as_token(acme.owner).get(f"{path}?day=2020-01-01").json()["items"] == []
    assert as_token(others.owner).get(path).status_code == 404
    first = as_token(acme.owner).get(f"{path}?limit=1").json()
    assert len(as_token(acme.owner).get(f"{path}?limit=1&cursor={first['next']}").json()["items"]) == 1
