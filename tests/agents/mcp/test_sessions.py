"""Sessions: when they begin and end, how a death is noticed, how they come back."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.mcp import hub, services, session
from agents.mcp.offer import offered_tools
from agents.models import McpServer, McpTool
from secret_store.services import set_secret
from tests.agents.conftest import Engine
from tests.agents.mcp import peers
from tests.agents.mcp.conftest import add_server, approve_everything, call_now, run_of, show
from tests.agents.mcp.test_hostile import serve, tool


def until(happens: Callable[[], Any], *, within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def started(pids: Path) -> int:
    return len(pids.read_text().split()) if pids.exists() else 0


def add(engine: Engine, pids: Path) -> McpServer:
    return add_server(engine.team.admin, "bad", **peers.misbehaving("pid", str(pids)))


def test_the_start_of_a_run_begins_no_session_and_loads_no_library(engine: Engine, shared: Path) -> None:
    server = add(engine, shared / "pids")
    hub.close_all()
    before = started(shared / "pids")
    assert list(offered_tools(run_of(engine))) == ["bad__echo"]
    assert started(shared / "pids") == before
    assert server.pk not in hub._sessions
    code = (
        "import django, sys; django.setup(); import agents.mcp.offer, agents.jobs, spacebot_site.asgi;"
        "print([name for name in ('mcp', 'mcp_types', 'httpx2', 'jsonschema') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=True
    )
    assert done.stdout.strip() == "[]"


def test_calls_share_one_session(engine: Engine, shared: Path) -> None:
    add(engine, shared / "pids")
    before = started(shared / "pids")
    for number in range(5):
        call_now(engine, "bad__echo", text=str(number))
    assert started(shared / "pids") == before + 1


def test_an_idle_session_is_closed_and_made_again_when_it_is_used(
    engine: Engine, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "IDLE_S", 0.2)
    monkeypatch.setattr(session, "PING_EVERY_S", 0.1)
    server = add(engine, shared / "pids")
    call_now(engine, "bad__echo", text="one")
    until(lambda: hub._sessions[server.pk].closed)
    before = started(shared / "pids")
    call_now(engine, "bad__echo", text="two")
    assert started(shared / "pids") == before + 1


def test_a_program_that_hangs_is_noticed_and_started_again(
    engine: Engine, shared: Path, says_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(engine, says_file, tool("hang"), tool("echo"))
    server = McpServer.objects.get()
    with monkeypatch.context() as patch:
        patch.setattr(session, "PING_EVERY_S", 0.2)
        patch.setattr(session, "PING_S", 0.5)
        call_now(engine, "bad__hang")
        until(lambda: McpServer.objects.get(pk=server.pk).failures > 0)
    assert "back" in call_now(engine, "bad__echo", text="back")


@pytest.fixture
def says_file(shared: Path) -> Path:
    return shared / "tools.json"


def test_switching_a_server_off_ends_its_program_though_nobody_calls(
    engine: Engine, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PING_EVERY_S", 0.1)
    server = add(engine, shared / "pids")
    call_now(engine, "bad__echo", text="one")
    services.update_server(engine.team.admin, server.pk, enabled=False)
    until(lambda: hub._sessions[server.pk].closed)


def test_a_server_that_cannot_be_reached_is_not_hammered_by_calls(engine: Engine, shared: Path) -> None:
    server = add(engine, shared / "pids")
    hub.close_all()
    McpServer.objects.filter(pk=server.pk).update(args=["/nothing/at/all.py"])
    began = time.monotonic()
    for _ in range(10):
        with pytest.raises(AssertionError, match="cannot be reached"):
            call_now(engine, "bad__echo", text="x")
    assert time.monotonic() - began < 60
    assert McpServer.objects.get(pk=server.pk).failures <= 12


def test_a_server_that_fails_and_is_switched_off_is_tried_no_more(engine: Engine, shared: Path) -> None:
    server = add(engine, shared / "pids")
    hub.close_all()
    McpServer.objects.filter(pk=server.pk).update(args=["/nothing/at/all.py"])
    with pytest.raises(AssertionError, match="cannot be reached"):
        call_now(engine, "bad__echo", text="x")
    trying = hub._sessions[server.pk]
    McpServer.objects.filter(pk=server.pk).update(enabled=False)
    until(lambda: trying.closed)


def test_what_a_program_says_when_it_ends_does_not_give_its_secrets_away(engine: Engine) -> None:
    set_secret(None, engine.team.organization, name="PLANTED", value="planted-and-long", category="tool")
    values = {
        "transport": "stdio",
        "command": "/bin/sh",
        "args": ["-c", "echo wrong key $MY_KEY >&2; exit 4"],
    }
    server = add_server(engine.team.admin, "sh", **values, env={"MY_KEY": "secret:PLANTED"})
    assert "wrong key" in server.last_error
    assert "planted-and-long" not in server.last_error


def test_a_server_of_the_newer_protocol_tells_of_new_tools(engine: Engine, shared: Path) -> None:
    show(engine.team.owner, shared, mode="none")
    script = Path(__file__).with_name("growing.py")
    server = add_server(
        engine.team.admin, "new", transport="stdio", command=sys.executable, args=[str(script)]
    )
    assert "grow" in call_now(engine, "new__grow")
    until(lambda: McpTool.objects.filter(remote_name="grown").exists())
    assert "new__grown" not in offered_tools(run_of(engine))
    approve_everything(engine.team.admin, server)
    assert "grown" in call_now(engine, "new__grown")
    assert json.loads(json.dumps(McpTool.objects.get(remote_name="grown").approved))["description"]
