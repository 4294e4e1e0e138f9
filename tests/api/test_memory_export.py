from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from accounts.models import AuditEvent, Person
from memory import types
from memory.services import editing
from memory.services.saving import save_memory
from tests.api.conftest import as_session, as_token
from tests.factories import Team


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def know(team: Team, content: str, heard_by: types.HeardBy = types.ORGANIZATION, **more: Any) -> int:
    saved = save_memory(
        organization_id=team.organization.pk, agent_id=team.agent.pk, content=content, heard_by=heard_by,
        even_if_similar=True, **{"type": "fact", **more},
    )  # fmt: skip
    assert saved.memory is not None
    return saved.memory.pk


def lines(response: Any) -> list[dict[str, Any]]:
    async def read() -> bytes:
        return b"".join([part async for part in response.streaming_content])

    assert response.status_code == 200
    return [json.loads(line) for line in asyncio.run(read()).splitlines()]


def test_it_holds_all_that_the_reader_may_hear_and_nothing_else(acme: Team, others: Team) -> None:
    otto = Person.objects.get(organization=acme.organization, user=acme.other_member.user)
    ids = [know(acme, f"Lamp number {number}") for number in range(450)]
    know(acme, "Otto's own", types.person(otto.pk))
    know(others, "Of others")
    found = lines(as_session(acme.member).get("/memories/export"))
    assert [row["id"] for row in found] == ids[::-1]
    own = {row["content"] for row in lines(as_session(acme.other_member).get("/memories/export"))}
    assert "Otto's own" in own
    assert [row["content"] for row in lines(as_session(others.owner).get("/memories/export"))] == [
        "Of others"
    ]


def test_filters_are_those_of_the_list_and_each_export_is_audited(acme: Team) -> None:
    know(acme, "A fact")
    wanted = know(acme, "To decide", type="decision")
    gone = know(acme, "A mistake")
    editing.forget_memory(acme.moderator, gone)
    api = as_token(acme.member, "memory:read")
    assert [row["id"] for row in lines(api.get("/memories/export?type=decision"))] == [wanted]
    assert [row["id"] for row in lines(api.get("/memories/export?state=forgotten"))] == [gone]
    narrowed = [event.detail["narrowed_by"] for event in AuditEvent.objects.filter(action="memory.exported")]
    assert narrowed == [["types"], ["state"]]


def test_who_may_not_read_memories_takes_none_along(acme: Team) -> None:
    assert as_token(acme.member, "runs:read").get("/memories/export").status_code == 403
    assert not AuditEvent.objects.filter(action="memory.exported").exists()
