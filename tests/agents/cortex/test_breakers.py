from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import Forbidden, NotFound
from accounts.models import AuditEvent
from agents.cortex import breakers, services
from agents.cortex.queries import list_trouble
from agents.errors import ToolFailed, ToolRetry, ToolUnavailable
from agents.models import Breaker, BreakerState, CortexLog, Run, ToolCall
from agents.tools import registry
from agents.tools.base import ToolOutput
from llm.clients.scripted import call
from realtime.models import Event
from tests.agents.conftest import Engine
from tests.factories import Team

DONE = call("set_outcome", status="done", summary="x")


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    breakers._kept.clear()


class Tool:
    """Stands in for `write_file`: answers, or raises what it is told to."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.calls = 0

    def __call__(self, context: Any, arguments: Any) -> ToolOutput:
        self.calls += 1
        if self.fails is not None:
            raise self.fails
        return ToolOutput("written")


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tool]:
    stand_in = Tool()
    tools = tuple(
        replace(each, function=stand_in) if each.name == "write_file" else each for each in registry.TOOLS
    )
    monkeypatch.setattr(registry, "TOOLS", tools)
    registry.tools_for.cache_clear()
    yield stand_in
    monkeypatch.undo()
    registry.tools_for.cache_clear()


def work(engine: Engine, times: int = 1) -> list[ToolCall]:
    """Let a worker of its own call the tool so often; return the calls."""
    write = [call("write_file", path=f"{number}.txt", content="x") for number in range(times)]
    engine.script("worker", [*write, DONE])
    run = Run.objects.create(
        organization=engine.team.organization, agent=engine.team.agent, conversation=engine.conversation,
        kind="worker", input={"task": "x"}, due_at=timezone.now(),
    )  # fmt: skip
    assert engine.execute(run)
    return list(ToolCall.objects.filter(run=run, name="write_file").order_by("id"))


def cool_down_is_over() -> None:
    Breaker.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    breakers._kept.clear()


def state() -> tuple[str, int]:
    return Breaker.objects.values_list("state", "failures").get()


@pytest.mark.parametrize("reason", [RuntimeError("crash"), ToolUnavailable("the disk is gone")])
def test_three_failures_in_a_row_across_runs_cut_the_agent_off_and_tell_people(
    engine: Engine, tool: Tool, reason: Exception
) -> None:
    tool.fails = reason
    work(engine, 2)
    assert state() == (BreakerState.CLOSED, 2)
    assert Event.objects.filter(kind="cortex.alarm").count() == 0
    work(engine)
    assert state() == (BreakerState.OPEN, 3)
    told = Event.objects.get(kind="cortex.alarm")
    assert told.minimum_level == 3
    assert "write_file" in told.payload["text"]
    assert CortexLog.objects.get().is_alarm
    assert Breaker.objects.get().told_at is not None
    (refused,) = work(engine)
    assert tool.calls == 3
    assert refused.state == "refused"
    assert "switched off" in refused.result


def test_wrong_arguments_and_refusals_do_not_count(engine: Engine, tool: Tool) -> None:
    for reason in (ToolRetry("mend it"), ToolFailed("you may not")):
        tool.fails = reason
        work(engine, 3)
    assert not Breaker.objects.exists()


def test_a_success_between_failures_begins_the_count_anew(engine: Engine, tool: Tool) -> None:
    tool.fails = RuntimeError()
    work(engine, 2)
    tool.fails = None
    work(engine)
    assert state() == (BreakerState.CLOSED, 0)
    tool.fails = RuntimeError()
    work(engine, 2)
    assert state() == (BreakerState.CLOSED, 2)


def test_after_the_cool_down_one_call_is_let_through_and_its_success_closes(
    engine: Engine, tool: Tool
) -> None:
    tool.fails = RuntimeError()
    work(engine, 3)
    tool.fails = None
    cool_down_is_over()
    (passed,) = work(engine)
    assert passed.state == "succeeded"
    assert state() == (BreakerState.CLOSED, 0)
    assert Breaker.objects.get().opened_at is None
    assert list(CortexLog.objects.order_by("pk").values_list("event", flat=True)) == [
        "breaker_opened",
        "breaker_closed",
    ]


def test_while_a_call_is_on_trial_others_are_refused(engine: Engine, tool: Tool) -> None:
    tool.fails = RuntimeError()
    work(engine, 3)
    cool_down_is_over()
    run = Run.objects.latest("pk")
    assert breakers.refusal(run, "write_file") == ""
    assert state()[0] == BreakerState.HALF_OPEN
    assert "switched off" in breakers.refusal(run, "write_file")
    cool_down_is_over()
    assert breakers.refusal(run, "write_file") == "", "whoever had the trial died with it"


def test_a_failed_trial_opens_it_for_twice_as_long_without_telling_people_again(
    engine: Engine, tool: Tool
) -> None:
    tool.fails = RuntimeError()
    work(engine, 3)
    cool_down_is_over()
    before = timezone.now()
    work(engine)
    row = Breaker.objects.get()
    assert (row.state, row.trips) == (BreakerState.OPEN, 2)
    assert row.next_try_at is not None
    assert before < row.next_try_at - timedelta(seconds=120) <= timezone.now()
    assert Event.objects.filter(kind="cortex.alarm").count() == 1
    assert breakers.cool_down(50) == timedelta(hours=1)


def test_a_trial_that_tells_nothing_leaves_the_next_call_as_one(engine: Engine, tool: Tool) -> None:
    tool.fails = RuntimeError()
    work(engine, 3)
    cool_down_is_over()
    tool.fails = ToolRetry("mend it")
    work(engine)
    assert state() == (BreakerState.OPEN, 3)
    tool.fails = None
    (passed,) = work(engine)
    assert passed.state == "succeeded"


def test_the_circuits_of_other_agents_stay_closed(engine: Engine, tool: Tool) -> None:
    from agents.models import Agent

    tool.fails = RuntimeError()
    work(engine, 3)
    stranger = Agent.objects.get(organization__slug="rivals")
    run = Run(organization_id=stranger.organization_id, agent_id=stranger.pk)
    assert breakers.refusal(run, "write_file") == ""


def test_a_call_of_a_tool_that_never_failed_costs_nothing_while_that_is_known(
    engine: Engine, caches_kept: None
) -> None:
    run = Run(organization_id=engine.team.organization.pk, agent_id=engine.team.agent.pk)
    breakers.refusal(run, "write_file")
    with CaptureQueriesContext(connection) as captured:
        for _ in range(10):
            assert breakers.refusal(run, "write_file") == ""
            breakers.saw(run, "write_file", "works")
    assert len(captured) == 0


def open_breaker(team: Team) -> Breaker:
    now = timezone.now()
    return Breaker.objects.create(
        organization=team.organization, agent=team.agent, tool="t", state="open", failures=3, trips=1,
        opened_at=now, next_try_at=now + timedelta(hours=1),
    )  # fmt: skip


def test_an_administrator_closes_a_circuit(team: Team, rivals: Team) -> None:
    row = open_breaker(team)
    assert [each["text"] for each in list_trouble(team.admin)] == [
        "The tool t is switched off: it failed 3 times"
    ]
    assert list_trouble(team.member) == list_trouble(rivals.owner) == []
    for actor, error in ((team.moderator, Forbidden), (rivals.owner, NotFound)):
        with pytest.raises(error):
            services.close_breaker(actor, team.agent.pk, row.pk)
    for _ in range(2):
        services.close_breaker(team.admin, team.agent.pk, row.pk)
    assert breakers.refusal(Run(agent_id=team.agent.pk), "t") == ""
    assert AuditEvent.objects.filter(action="cortex.breaker_closed").count() == 1
    assert list_trouble(team.admin) == []
