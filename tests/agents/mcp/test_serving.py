"""Spacebot as a server, used with the official client over a real socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from accounts.models import Person
from accounts.services.tokens import create_token, revoke_token
from memory.services.saving import save_memory
from memory.types import ORGANIZATION, person
from messaging.models import Message
from messaging.services.conversations import start_conversation
from tasks.models import Task
from tests.factories import Team, make_team
from tests.matrix.world import browser_of
from tests.realtime.conftest import Site, site

__all__ = ["site"]

SCOPES = ("memory:read", "tasks:read", "tasks:write", "conversations:write")


@pytest.fixture
def acme(transactional_db: None) -> Team:
    return make_team("acme")


@pytest.fixture
def rivals(transactional_db: None) -> Team:
    return make_team("rivals")


def token_of(actor: Any, *scopes: str) -> str:
    return create_token(actor, name="client", scopes=scopes or SCOPES)[1]


def use(
    site: Site, token: str, *calls: tuple[str, dict[str, Any]], mode: str = "auto"
) -> tuple[list[str], list[Any]]:
    """Connect, list the tools and make calls; return the names and what came back."""

    async def run() -> tuple[list[str], list[Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, trust_env=False) as http:
            transport = streamable_http_client(f"http://{site.address}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                names = [tool.name for tool in (await client.list_tools()).tools]
                return names, [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(run())


def told(result: Any) -> Any:
    assert not result.is_error, result
    return json.loads(result.content[0].text)


def ask(site: Site, token: str = "", body: Any = None, **headers: str) -> httpx2.Response:
    sent = {"Accept": "application/json, text/event-stream", **headers}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    message = body or {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with httpx2.Client(trust_env=False) as client:
        return client.post(f"http://{site.address}/mcp", json=message, headers=sent)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_task_that_another_program_proposes_waits_for_a_person(acme: Team, site: Site, mode: str) -> None:
    names, results = use(
        site,
        token_of(acme.member),
        ("create_task", {"title": "Water the plants"}),
        ("list_tasks", {}),
        mode=mode,
    )
    assert names == ["recall", "list_tasks", "create_task", "send_message"]
    task = Task.objects.get(organization=acme.organization)
    assert (task.state, task.requester_user_id) == ("pending_approval", acme.member.user.pk)
    assert [each["number"] for each in told(results[1])] == [task.number]


def test_it_tells_only_what_the_tokens_user_may_hear(
    acme: Team, rivals: Team, site: Site, settings: Any
) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"
    otto = Person.objects.get(organization=acme.organization, user=acme.other_member.user)
    for team, text, heard_by in (
        (acme, "The harbour opens at six", ORGANIZATION),
        (acme, "Otto is afraid of the harbour", person(otto.pk)),
        (rivals, "The harbour of the rivals is closed", ORGANIZATION),
    ):
        save_memory(
            organization_id=team.organization.pk, agent_id=team.agent.pk, type="fact", content=text, heard_by=heard_by
        )  # fmt: skip
    _, (heard,) = use(site, token_of(acme.member), ("recall", {"query": "harbour"}))
    assert [each["content"] for each in told(heard)] == ["The harbour opens at six"]
    _, (all_heard,) = use(site, token_of(acme.other_member), ("recall", {"query": "harbour"}))
    assert len(told(all_heard)) == 2


def test_a_message_goes_only_where_the_user_takes_part_and_once(acme: Team, rivals: Team, site: Site) -> None:
    own = start_conversation(acme.member, agent_id=acme.agent.pk, kind="dm")
    others = start_conversation(acme.other_member, agent_id=acme.agent.pk, kind="dm")
    foreign = start_conversation(rivals.member, agent_id=rivals.agent.pk, kind="dm")
    asked = {"conversation_id": own.pk, "text": "hello", "client_id": "x1"}
    _, results = use(
        site, token_of(acme.member), ("send_message", asked), ("send_message", asked),
        *(("send_message", {"conversation_id": each.pk, "text": "hello"}) for each in (others, foreign)),
    )  # fmt: skip
    assert told(results[0]) == told(results[1])
    assert [each.is_error for each in results] == [False, False, True, True]
    assert results[2].content[0].text == results[3].content[0].text
    stored = Message.objects.filter(direction="in")
    assert list(stored.values_list("conversation_id", "text", "author_name")) == [
        (own.pk, "hello", "Mia of acme")
    ]


def test_a_token_shows_and_does_only_what_its_scopes_say(acme: Team, site: Site) -> None:
    token = token_of(acme.member, "tasks:read")
    names, _ = use(site, token)
    assert names == ["list_tasks"]
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create_task", "arguments": {"title": "x"}},
    }  # fmt: skip
    answer = ask(site, token, body).json()
    assert "no tool 'create_task'" in answer["error"]["message"]
    assert not Task.objects.exists()


def test_wrong_arguments_are_explained_and_nothing_is_written(acme: Team, site: Site) -> None:
    _, results = use(
        site, token_of(acme.member), ("create_task", {"title": ""}), ("create_task", {"title": "x", "state": "ready"}),
        ("recall", {"query": "x", "agent": "nobody"}), ("create_task", {"title": "a\0b"}),
    )  # fmt: skip
    assert all(each.is_error for each in results)
    assert not Task.objects.exists()


def test_nobody_known_is_refused_and_so_is_a_browsers_session(acme: Team, site: Site) -> None:
    client = browser_of(acme.owner.user)
    session = client.cookies["sessionid"].value
    for response in (ask(site), ask(site, "sb_unknown"), ask(site, Cookie=f"sessionid={session}")):
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["www-authenticate"] == "Bearer"


def test_other_hosts_and_origins_are_refused_before_the_token_is_looked_at(acme: Team, site: Site) -> None:
    token = token_of(acme.member)
    assert ask(site, token, Host="evil.example").status_code == 400
    assert ask(site, token, Origin="https://evil.example").status_code == 403
    assert ask(site, token, Origin="null").status_code == 403
    assert ask(site, token, Origin=f"http://{site.address}").status_code == 200


def test_a_revoked_token_ends_at_once(acme: Team, site: Site) -> None:
    row, raw = create_token(acme.member, name="client", scopes=["tasks:read"])
    assert ask(site, raw).status_code == 200
    revoke_token(acme.member, row.pk)
    assert ask(site, raw).status_code == 401


def test_there_is_no_stream_and_no_session(acme: Team, site: Site) -> None:
    headers = {"Authorization": f"Bearer {token_of(acme.member)}", "Accept": "text/event-stream"}
    with httpx2.Client(trust_env=False, headers=headers) as client:
        for method in ("GET", "DELETE", "PUT"):
            response = client.request(method, f"http://{site.address}/mcp")
            assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_it_has_the_limits_of_the_api(acme: Team, site: Site, settings: Any) -> None:
    settings.SPACEBOT_RATE_SIGNED_IN = 2
    token = token_of(acme.member)
    assert [ask(site, token).status_code for _ in range(5)].count(429) >= 1
    settings.SPACEBOT_RATE_SIGNED_IN = 0
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    assert ask(site, token, {"jsonrpc": "2.0", "id": 1, "method": "x" * 20_000}).status_code == 413
