"""Each field of a server is observed at what the server sees or what a run holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.mcp.offer import offered_tools
from agents.models import McpState
from agents.services.egress import add_rule
from agents.services.sandboxes import set_walls
from secret_store import locking
from secret_store.services import set_secret
from tests.agents.conftest import Engine
from tests.agents.egress.site import Site
from tests.agents.mcp import peers
from tests.agents.mcp.conftest import add_server, let_out, run_of

ASK_THE_PROXY = (
    r"exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1:443\r\n\r\n' >&3;"
    " head -n 1 <&3 >&2; exit 4"
)


def test_headers_are_sent_with_their_secrets_and_an_agents_own_value_counts(engine: Engine) -> None:
    organization, agent = engine.team.organization, engine.team.agent
    set_secret(None, organization, name="NOTES_KEY", value="the-shared-key")
    set_secret(None, organization, name="NOTES_KEY", value="the-agents-key", agent_id=agent.pk)
    headers = {"X-Team": "acme", "Authorization": "Bearer secret:NOTES_KEY"}
    with Site() as site:
        let_out(engine, site.port)
        values: dict[str, Any] = {"transport": "http", "url": f"{site.url}/mcp", "headers": headers}
        for name, agent_id in (("all", None), ("own", agent.pk)):
            add_server(engine.team.admin, name, agent_id=agent_id, **values)
    sent = {asked["authorization"] for _, path, asked in site.asked if path == "/mcp"}
    assert sent == {"Bearer the-shared-key", "Bearer the-agents-key"}
    assert {asked["x-team"] for _, _, asked in site.asked} == {"acme"}


def test_while_secrets_are_locked_a_server_that_needs_one_says_so(engine: Engine) -> None:
    set_secret(None, engine.team.organization, name="NOTES_KEY", value="key", category="tool")
    locking.lock(None, "correct horse battery")
    server = add_server(engine.team.admin, "bad", **peers.misbehaving(), env={"KEY": "secret:NOTES_KEY"})
    assert server.state == McpState.FAILED
    assert "locked" in server.last_error


@pytest.mark.parametrize("kind", ["worker", "branch", "colleague"])
def test_each_kind_holds_the_tools_of_servers_that_name_it(engine: Engine, kind: str) -> None:
    add_server(engine.team.admin, "bad", kinds=[kind], **peers.misbehaving())
    held = [
        each
        for each in ("channel", "worker", "branch", "colleague", "cron")
        if offered_tools(run_of(engine, kind=each))
    ]
    assert held == [kind]


@pytest.mark.parametrize(("network", "said"), [("proxy", "HTTP/1.1 403"), ("none", "Connection refused")])
def test_a_program_goes_out_through_the_proxy_where_that_is_set(
    engine: Engine, shared: Path, network: str, said: str
) -> None:
    set_walls(engine.team.owner, mode="", network=network, writable_paths=[str(shared)], readable_paths=[])
    values: dict[str, Any] = {"transport": "stdio", "command": "/bin/bash", "args": ["-c", ASK_THE_PROXY]}
    assert said in add_server(engine.team.admin, "out", **values).last_error


def test_a_list_of_hosts_holds_for_addresses_of_servers(engine: Engine) -> None:
    add_rule(engine.team.owner, kind="allow", host="docs.example.org")
    server = add_server(engine.team.admin, "far", transport="http", url="https://mcp.elsewhere.org/mcp")
    assert server.state == McpState.FAILED
    assert "not among the hosts this agent may reach" in server.last_error
