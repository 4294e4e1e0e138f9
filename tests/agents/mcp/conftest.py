"""Servers in rows, looked at at once, and every session ended afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.actor import Actor, actor_for
from accounts.models import Membership
from agents.errors import ToolFailed, ToolRetry
from agents.mcp import hub, looking, services
from agents.mcp.offer import offered_tools
from agents.models import EgressRule, McpServer, McpTool, Run, ToolCall
from agents.services.sandboxes import set_walls
from agents.tools.base import ToolContext
from llm.clients.scripted import call, say
from llm.types import CancelToken
from tests.agents.conftest import Engine
from tests.agents.mcp import peers

Add = Callable[..., McpServer]


@pytest.fixture(autouse=True)
def _all_ended() -> Iterator[None]:
    yield
    hub.close_all()


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are run by the tests."""
    from agents.jobs import mcp_look

    monkeypatch.setattr(mcp_look, "delay", lambda server_id: None)


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that programs may write to, and tests read."""
    return tmp_path_factory.mktemp("shared").resolve()


@pytest.fixture(autouse=True)
def _shown(request: pytest.FixtureRequest) -> None:
    """Show what the tests' servers are made of to the commands of both teams."""
    if "engine" in request.fixturenames:
        engine: Engine = request.getfixturevalue("engine")
        shared: Path = request.getfixturevalue("shared")
        for slug in ("acme", "rivals"):
            owner = actor_for(Membership.objects.get(organization__slug=slug, role="owner"))
            show(owner, shared)
        assert engine.team.organization.slug == "acme"


def show(owner: Actor, shared: Path, *, mode: str = "") -> None:
    set_walls(owner, mode=mode, network="", writable_paths=[str(shared)], readable_paths=[str(peers.place())])


def let_out(engine: Engine, port: int) -> None:
    """Let the team reach a server of a test, which is on this machine."""
    EgressRule.objects.create(
        organization=engine.team.organization, kind="private", host="127.0.0.1", port=port
    )


def add_server(actor: Actor, name: str, *, approve: bool = True, **values: Any) -> McpServer:
    """Add a server as an administrator would, look at it, and approve what it lists."""
    server = services.create_server(actor, name=name, **values)
    looking.look(server.pk)
    if approve:
        approve_everything(actor, server)
    server.refresh_from_db()
    return server


def approve_everything(actor: Actor, server: McpServer) -> None:
    rows = McpTool.objects.filter(server=server)
    services.approve_all(actor, server.pk, digests={row.pk: row.digest for row in rows})


def run_of(engine: Engine, *, kind: str = "worker") -> Run:
    return Run.objects.create(
        organization=engine.team.organization, agent=engine.team.agent, conversation=engine.conversation, kind=kind,
        state="running", due_at=timezone.now(), input={"task": "x"}, requester_user=engine.team.member.user,
    )  # fmt: skip


def call_now(
    engine: Engine, name: str, *, cancel: CancelToken | None = None, kind: str = "worker", **arguments: Any
) -> str:
    """Call a tool as a run's thread does, behind the gate's door; fails with what the model would be told."""
    run = run_of(engine, kind=kind)
    tool = offered_tools(run)[name]
    context = ToolContext(
        run=run, process=None, key="x", cancel=cancel or CancelToken(), workspace=engine.workspace  # type: ignore[arg-type]
    )  # fmt: skip
    try:
        return tool.function(context, tool.arguments.model_validate(arguments)).text
    except (ToolFailed, ToolRetry) as error:
        raise AssertionError(str(error)) from error


def once_called(server: McpServer, act: Callable[[], Any]) -> threading.Thread:
    """Do something in another thread as soon as a call of the server is under way; its session must be open."""
    session = hub._sessions[server.pk]

    def wait() -> None:
        until = time.monotonic() + 60
        while not session.calls and time.monotonic() < until:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def work(engine: Engine, *calls: Any) -> list[ToolCall]:
    """Let a worker make these calls, and return what became of them."""
    answers = iter([*calls, call("set_outcome", status="done", summary="ok")])
    return work_with(engine, lambda request: next(answers))


def work_with(engine: Engine, script: Any) -> list[ToolCall]:
    """Let a worker follow a script, and return what became of its calls but the last."""
    engine.script("worker", script)
    spawned = iter([call("spawn_worker", task="do it"), call("reply", content="started")])
    engine.script("channel", lambda request: next(spawned, say("done")))
    engine.say("go")
    engine.settle()
    worker = Run.objects.filter(kind="worker").latest("id")
    return list(ToolCall.objects.filter(run=worker).exclude(name="set_outcome").order_by("id"))
