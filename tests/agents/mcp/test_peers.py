"""Servers that others wrote, from npm and PyPI, over stdio and HTTP: used by a worker, killed and back."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from agents.mcp import hub, looking
from agents.models import McpServer, McpState, McpTool
from agents.sandbox import probe
from agents.sandbox.inside import tree
from agents.sandbox.probe import Trial
from agents.services.policies import set_policy
from llm.clients.scripted import call
from llm.types import CancelToken
from messaging.attachments.pictures import pictures_of
from messaging.attachments.store import open_attachment
from tests.agents.conftest import Engine
from tests.agents.mcp import peers
from tests.agents.mcp.conftest import add_server, call_now, let_out, once_called, show, work
from tests.agents.mcp.test_sessions import until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]


def allow(engine: Engine, *names: str) -> None:
    for name in names:
        set_policy(engine.team.admin, name, "allow")


def pids_of(word: str) -> list[int]:
    """Return the processes below us whose commands hold a word; other processes test here as well."""
    found = []
    for pid in tree.descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def test_a_worker_asks_a_server_from_pypi_over_stdio(engine: Engine, shared: Path) -> None:
    show(engine.team.owner, shared, mode="none")
    server = add_server(engine.team.admin, "clock", **peers.time_over_stdio())
    assert (server.state, server.last_error) == (McpState.CONNECTED, "")
    made = work(engine, call("clock__get_current_time", timezone="Europe/Vienna"))
    assert [each.state for each in made] == ["succeeded"]
    assert "Europe/Vienna" in made[0].result
    assert made[0].result.startswith("[from the server clock: data from outside")


def test_a_worker_uses_a_server_from_npm_and_keeps_its_pictures(engine: Engine) -> None:
    server = add_server(engine.team.admin, "every", **peers.everything_over_stdio())
    assert server.server_info.startswith("mcp-servers/everything")
    made = work(
        engine,
        call("every__echo", message="grüß dich"),
        call("every__get-tiny-image"),
        call("every__get-resource-reference", resourceType="Text", resourceId=2),
        call("every__get-sum", a=1),
    )
    assert [each.state for each in made] == ["succeeded", "succeeded", "succeeded", "failed"]
    assert "Echo: grüß dich" in made[0].result
    kept = list((engine.workspace / "from-mcp").iterdir())
    assert [path.suffix for path in kept] == [".png"]
    assert kept[0].read_bytes().startswith(b"\x89PNG")
    assert f"kept as from-mcp/{kept[0].name}" in made[1].result
    assert "'b' is a required property" in made[3].result
    (seen,) = pictures_of(engine.team.organization.pk, made[1].run_id)[made[1].key]
    with open_attachment(seen) as file:
        assert file.read() == kept[0].read_bytes()


def test_a_server_over_http_is_killed_in_a_call_and_used_again_when_it_is_back(engine: Engine) -> None:
    port = peers.free_port()
    let_out(engine, port)
    with peers.everything_over_http(port) as (url, process):
        server = add_server(engine.team.admin, "every", transport="http", url=url, timeout_s=120)
        assert server.state == McpState.CONNECTED
        assert "Echo: one" in call_now(engine, "every__echo", message="one")
        killer = once_called(server, process.kill)
        began = time.monotonic()
        with pytest.raises(AssertionError, match=r"unknown|cannot be reached|answer"):
            call_now(engine, "every__trigger-long-running-operation", duration=120, steps=5)
        assert time.monotonic() - began < 60
        killer.join()
        process.wait()
        with pytest.raises(AssertionError):
            call_now(engine, "every__echo", message="two")
        server.refresh_from_db()
        assert server.state == McpState.FAILED
        assert server.next_look_at is not None
    with peers.everything_over_http(port):
        until = time.monotonic() + 60
        while True:
            try:
                assert "Echo: three" in call_now(engine, "every__echo", message="three")
                break
            except AssertionError:
                assert time.monotonic() < until
                time.sleep(0.2)
        server.refresh_from_db()
        assert (server.state, server.failures) == (McpState.CONNECTED, 0)


def test_a_program_killed_in_a_call_is_noticed_at_once_and_started_again(engine: Engine) -> None:
    server = add_server(engine.team.admin, "every", **peers.everything_over_stdio(), timeout_s=120)
    path = str(peers.everything())
    assert "Echo: one" in call_now(engine, "every__echo", message="one")
    first = pids_of(path)
    killer = once_called(server, lambda: [os.kill(pid, signal.SIGKILL) for pid in first])
    began = time.monotonic()
    with pytest.raises(AssertionError, match="whether it took effect is unknown"):
        call_now(engine, "every__trigger-long-running-operation", duration=120, steps=5)
    assert time.monotonic() - began < 60
    killer.join()
    assert "Echo: two" in call_now(engine, "every__echo", message="two")
    assert not set(first) & set(pids_of(path))


def test_a_slow_call_holds_up_no_other(engine: Engine) -> None:
    server = add_server(engine.team.admin, "every", **peers.everything_over_stdio())
    call_now(engine, "every__echo", message="warm")
    done: list[str] = []
    under_way = threading.Event()
    watch = once_called(server, under_way.set)
    slow = threading.Thread(
        target=lambda: done.append(
            call_now(engine, "every__trigger-long-running-operation", duration=10, steps=2)
        )
    )
    slow.start()
    under_way.wait()
    assert "Echo: quick" in call_now(engine, "every__echo", message="quick")
    assert not done
    slow.join()
    watch.join()
    assert "completed" in done[0]


def test_a_call_ends_at_its_deadline_and_when_the_run_is_stopped(engine: Engine) -> None:
    server = add_server(engine.team.admin, "every", **peers.everything_over_stdio(), timeout_s=1)
    began = time.monotonic()
    with pytest.raises(AssertionError, match="did not answer within 1 s"):
        call_now(engine, "every__trigger-long-running-operation", duration=120, steps=3)
    assert time.monotonic() - began < 60
    McpServer.objects.update(timeout_s=120)
    assert "Echo: on" in call_now(engine, "every__echo", message="on")
    cancel = CancelToken()
    stopping = once_called(server, lambda: cancel.cancel("cancelled"))
    began = time.monotonic()
    with pytest.raises(AssertionError, match="the run was stopped"):
        call_now(engine, "every__trigger-long-running-operation", cancel=cancel, duration=120, steps=3)
    assert time.monotonic() - began < 60
    stopping.join()
    assert "Echo: still" in call_now(engine, "every__echo", message="still")


def test_two_servers_are_used_beside_each_other_and_their_programs_end_with_us(
    engine: Engine, shared: Path
) -> None:
    show(engine.team.owner, shared, mode="none")
    add_server(engine.team.admin, "every", **peers.everything_over_stdio())
    add_server(engine.team.admin, "clock", **peers.time_over_stdio())
    made = work(engine, call("every__echo", message="x"), call("clock__get_current_time", timezone="UTC"))
    assert [each.state for each in made] == ["succeeded", "succeeded"]
    assert pids_of("mcp_server_time")
    hub.close_all()
    until(lambda: not pids_of("mcp_server_time"))
    until(lambda: not pids_of(str(peers.everything())))


def test_what_may_change_something_asks_a_person_first(engine: Engine) -> None:
    add_server(engine.team.admin, "every", **peers.everything_over_stdio())
    row = McpTool.objects.get(local_name="every__toggle-simulated-logging")
    assert not row.reads_only
    made = work(engine, call(row.local_name))
    assert [each.state for each in made] == ["waiting"]
    allow(engine, row.local_name)
    assert looking.due() == []


def test_a_server_behind_walls_reaches_neither_our_files_nor_the_network(
    engine: Engine, shared: Path
) -> None:
    (shared / "ours").write_text("ours")
    add_server(engine.team.admin, "bad", **peers.misbehaving())
    McpTool.objects.update(remote_name="look")
    seen = json.loads(call_now(engine, "bad__echo", text=str(ROOT / "manage.py")).split("\n")[1])
    assert seen == {"file": False, "network": False, "home": True}


def test_without_walls_on_the_machine_a_program_is_refused_with_the_reason(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "agents.sandbox.probe.try_driver", lambda driver: Trial(driver.name, False, "no walls today")
    )
    probe.forget()
    server = add_server(engine.team.admin, "every", **peers.everything_over_stdio())
    probe.forget()
    assert server.state == McpState.FAILED
    assert "no walls today" in server.last_error


def test_an_address_of_this_machine_is_refused_unless_it_was_let_out(engine: Engine) -> None:
    with peers.everything_over_http() as (url, _):
        for place in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "2130706433")):
            server = add_server(engine.team.admin, "every", transport="http", url=place)
            assert server.state == McpState.FAILED
            assert "refused" in server.last_error
            assert not McpTool.objects.exists()
            server.delete()
