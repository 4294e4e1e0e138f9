"""Signing in to a server that wants OAuth, with the library's own authorisation server and our pages."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.test import Client

from agents.mcp import hub, looking, oauth, oauth_renewal, oauth_tokens, services, sign_in_flows
from agents.mcp.spec import spec_of
from agents.models import McpServer, McpState
from secret_store.models import Category, Secret
from secret_store.services import read_secret
from tests.agents.conftest import Engine
from tests.agents.mcp.conftest import add_server, approve_everything, call_now, let_out
from tests.matrix.world import browser_of


@pytest.fixture
def wants_oauth(engine: Engine) -> Iterator[Callable[[], str]]:
    started: list[subprocess.Popen[str]] = []

    def start() -> str:
        script = Path(__file__).with_name("signed_in.py")
        process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        let_out(engine, port)
        return f"http://127.0.0.1:{port}/mcp"

    yield start
    for process in started:
        with process:
            process.kill()


def eventually(find: Callable[[], Any], *, within_s: float = 60) -> Any:
    until = time.monotonic() + within_s
    while not (found := find()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def state_of(server: McpServer) -> str:
    return McpServer.objects.get(pk=server.pk).state


def agree(url: str) -> str:
    """Follow the person's way through the other site; return the query that the browser comes back with."""
    with httpx2.Client(trust_env=False) as browser:
        answer = browser.get(url)
    assert answer.status_code == 302
    return urlsplit(answer.headers["location"]).query


def sign_in(engine: Engine, server: McpServer, browser: Client) -> None:
    looking.sign_in(server.pk, engine.team.admin.user.pk)
    url = eventually(lambda: sign_in_flows.open_flow(engine.team.admin, server.pk))
    assert url.replace("&", "&amp;") in browser.get(f"/settings/mcp/{server.pk}/").content.decode()
    response = browser.get(f"/settings/mcp/callback/?{agree(url)}")
    assert response["Location"] == f"/settings/mcp/{server.pk}/"
    eventually(lambda: state_of(server) == McpState.CONNECTED)


@pytest.fixture
def browser(engine: Engine, settings: Any) -> Client:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return browser_of(engine.team.admin.user)


def test_an_administrator_signs_in_and_tokens_lie_encrypted(
    engine: Engine, browser: Client, wants_oauth: Callable[[], str]
) -> None:
    server = add_server(engine.team.admin, "notes", transport="http", url=wants_oauth(), oauth=True)
    assert (server.state, server.next_look_at) == (McpState.SIGN_IN, None)
    sign_in(engine, server, browser)
    secret = Secret.objects.get(name=f"MCP_SIGN_IN_{server.pk}")
    assert secret.category == Category.SYSTEM
    stored = read_secret(engine.team.organization.pk, secret.name)
    assert "refresh_token" in stored
    approve_everything(engine.team.admin, server)
    assert "renewed 0" in call_now(engine, "notes__renewals")


def test_a_token_that_ends_is_renewed_by_itself(
    engine: Engine, browser: Client, wants_oauth: Callable[[], str]
) -> None:
    server = add_server(engine.team.admin, "notes", transport="http", url=wants_oauth(), oauth=True)
    sign_in(engine, server, browser)
    approve_everything(engine.team.admin, server)
    organization_id = engine.team.organization.pk
    known = json.loads(oauth_tokens.read_tokens(organization_id, server.pk))
    known["expires_at"] = time.time() - 1
    oauth_tokens.store_tokens(organization_id, server.pk, json.dumps(known))
    hub.close_all()
    assert "renewed 1" in call_now(engine, "notes__renewals")


def test_tokens_that_count_no_more_ask_for_a_person_and_not_again_by_themselves(
    engine: Engine, browser: Client, wants_oauth: Callable[[], str]
) -> None:
    server = add_server(engine.team.admin, "notes", transport="http", url=wants_oauth(), oauth=True)
    sign_in(engine, server, browser)
    approve_everything(engine.team.admin, server)
    call_now(engine, "notes__sign_everybody_out")
    with pytest.raises(AssertionError, match="connect"):
        call_now(engine, "notes__renewals")
    eventually(lambda: state_of(server) == McpState.SIGN_IN)
    server.refresh_from_db()
    assert (server.state, server.next_look_at) == (McpState.SIGN_IN, None)


def test_another_administrators_browser_cannot_bring_the_answer(
    engine: Engine, browser: Client, wants_oauth: Callable[[], str]
) -> None:
    server = add_server(engine.team.admin, "notes", transport="http", url=wants_oauth(), oauth=True)
    looking.sign_in(server.pk, engine.team.admin.user.pk)
    url = eventually(lambda: sign_in_flows.open_flow(engine.team.admin, server.pk))
    query = agree(url)
    for other in (browser_of(engine.team.owner.user), browser):
        wrong = query if other is not browser else query.replace("state=", "state=x")
        assert other.get(f"/settings/mcp/callback/?{wrong}")["Location"] == "/settings/mcp/"
    assert state_of(server) == McpState.SIGN_IN
    assert parse_qs(query)["state"]
    # It is still open for the one who began it, and only once.
    assert browser.get(f"/settings/mcp/callback/?{query}")["Location"] == f"/settings/mcp/{server.pk}/"
    assert browser.get(f"/settings/mcp/callback/?{query}")["Location"] == "/settings/mcp/"


def test_moving_a_server_forgets_its_sign_in(
    engine: Engine, browser: Client, wants_oauth: Callable[[], str]
) -> None:
    server = add_server(engine.team.admin, "notes", transport="http", url=wants_oauth(), oauth=True)
    sign_in(engine, server, browser)
    services.update_server(engine.team.admin, server.pk, url="http://127.0.0.1:1/mcp")
    assert not Secret.objects.filter(name__startswith="MCP_SIGN_IN").exists()


ASK = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def sessions(server: McpServer, many: int, *, ended: bool = True) -> list[Any]:
    """Return what signs requests in as many processes, each with the sign-in as it is stored now."""

    def needed() -> None:
        raise AssertionError("a person was asked to sign in")

    async def load() -> list[Any]:
        found = [await oauth.stored_sign_in(spec_of(server), on_sign_in=needed) for _ in range(many)]
        for provider in found:
            await provider._initialize()
            if ended:
                provider.context.token_expiry_time = 1.0
        return found

    return asyncio.run(load())


async def ask(url: str, provider: Any) -> int:
    headers = {"accept": "application/json, text/event-stream"}
    async with httpx2.AsyncClient(trust_env=False, auth=provider, headers=headers, timeout=20) as client:
        return (await client.post(url, json=ASK)).status_code


def times_renewed(engine: Engine) -> str:
    return call_now(engine, "notes__renewals").split("\n")[1].strip()


def test_many_who_renew_at_once_renew_once_and_nobody_is_signed_out(
    engine: Engine, browser: Client, wants_oauth: Callable[[], str]
) -> None:
    url = wants_oauth()
    server = add_server(engine.team.admin, "notes", transport="http", url=url, oauth=True)
    sign_in(engine, server, browser)
    approve_everything(engine.team.admin, server)

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(ask(url, provider) for provider in sessions_now))

    sessions_now = sessions(server, 6)
    assert 401 not in asyncio.run(all_at_once())
    hub.close_all()
    assert times_renewed(engine) == "renewed 1"


def test_a_token_that_another_process_has_renewed_is_taken_over_and_nobody_is_asked(
    engine: Engine, browser: Client, wants_oauth: Callable[[], str]
) -> None:
    url = wants_oauth()
    server = add_server(engine.team.admin, "notes", transport="http", url=url, oauth=True)
    sign_in(engine, server, browser)
    approve_everything(engine.team.admin, server)
    (first,), (second,) = sessions(server, 1), sessions(server, 1, ended=False)
    assert asyncio.run(ask(url, first)) != 401
    assert asyncio.run(ask(url, second)) != 401
    hub.close_all()
    assert times_renewed(engine) == "renewed 1"


def test_a_renewal_that_a_process_died_in_holds_up_others_no_longer_than_its_lock(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth_renewal, "LOCKED_S", 1)

    async def twice() -> float:
        began = time.monotonic()
        forsaken = oauth_renewal.one_at_a_time(7)
        await forsaken.__aenter__()
        async with oauth_renewal.one_at_a_time(7):
            return time.monotonic() - began

    assert 0.9 < asyncio.run(twice()) < 30
