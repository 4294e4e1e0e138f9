"""Two servers that others wrote, over stdio and HTTP, through the whole engine."""

from __future__ import annotations

from typing import Any

import pytest

from agents.models import McpState, Run, ToolCall
from llm.clients.scripted import call, say
from tests.agents.conftest import Engine
from tests.agents.mcp import peers
from tests.agents.mcp.conftest import add_server

pytestmark = pytest.mark.slow


def work(engine: Engine, *calls: Any) -> list[ToolCall]:
    """Let a worker make these calls, and return what became of them."""
    answers = iter([*calls, call("set_outcome", status="done", summary="ok")])
    engine.script("worker", lambda request: next(answers))
    spawned = iter([call("spawn_worker", task="do it"), call("reply", content="started")])
    engine.script("channel", lambda request: next(spawned, say("done")))
    engine.say("go")
    engine.settle()
    worker = Run.objects.filter(kind="worker").latest("id")
    return list(ToolCall.objects.filter(run=worker).exclude(name="set_outcome").order_by("id"))


def test_a_worker_asks_a_server_from_pypi_over_stdio(engine: Engine) -> None:
    server = add_server(engine.team.admin, "clock", **peers.time_over_stdio())
    assert (server.state, server.last_error) == (McpState.CONNECTED, "")
    made = work(engine, call("clock__get_current_time", timezone="Europe/Vienna"))
    assert [each.state for each in made] == ["succeeded"]
    assert "Europe/Vienna" in made[0].result
    assert made[0].result.startswith("[from the server clock: data from outside")
