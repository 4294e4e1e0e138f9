"""What summaries cost, and what they do without a model or money."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Run, RunState, Synthesis, WorkingEvent, WorkingState
from agents.services import summing_up
from agents.services.runs import request_cancel
from agents.services.summing_up import start_due
from llm.clients.scripted import ScriptedModel, fail, say
from llm.errors import AuthenticationFailed
from llm.models import ModelEntry, Route
from llm.services.routing import forget_routing
from memory import types
from memory.types import HeardBy
from realtime.services import unit_of_work
from tests.agents.conftest import Engine
from tests.agents.summing_up.conftest import DAY, HOUR, MINUTE, NOON, Clock, many, settle, tell
from tests.agents.working import person_of, told_in


def test_a_day_on_which_nothing_happens_costs_no_call(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    model = cortex(tell)
    many(engine, 20)
    clock.now = NOON + DAY
    settle(engine, clock)
    before = len(model.requests)
    assert before > 0
    for _ in range(24 * 60):
        clock.pass_by(MINUTE)
        assert start_due() == 0
    assert Run.objects.filter(state=RunState.QUEUED).count() == 0
    assert len(model.requests) == before
    with CaptureQueriesContext(connection) as captured:
        start_due()
    assert len(captured) == 2


def test_the_budget_of_a_day_is_kept_and_the_log_still_tells_everything(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    Agent.objects.filter(pk=engine.team.agent.pk).update(settings={"background_budget_calls": 2})
    model = cortex(tell)
    for part in range(5):
        many(engine, 15, word=f"part{part}")
        settle(engine, clock)
        clock.pass_by(15 * MINUTE)
    assert len(model.requests) == 2
    assert "part4 14" in told_in(engine.team, engine.conversation).log.text
    clock.now = NOON + DAY
    settle(engine, clock)
    assert len(model.requests) == 4
    assert WorkingEvent.objects.filter(synthesis=None).count() <= 5


@pytest.mark.parametrize("budget", [0, 100])
def test_without_a_model_nothing_starts(engine: Engine, clock: Clock, budget: int) -> None:
    Route.objects.all().delete()
    ModelEntry.objects.all().delete()
    forget_routing(engine.team.organization.pk)
    Agent.objects.filter(pk=engine.team.agent.pk).update(settings={"background_budget_calls": budget})
    many(engine, 20)
    assert start_due() == 0
    assert not Run.objects.exists()
    assert "thing 19" in told_in(engine.team, engine.conversation).log.text


def test_an_agent_that_is_off_does_nothing(engine: Engine, clock: Clock) -> None:
    many(engine, 20)
    Agent.objects.update(enabled=False)
    assert start_due() == 0


def test_failures_wait_twice_as_long_each_time_and_lose_nothing(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    model = cortex(lambda request: fail(AuthenticationFailed("no")))
    many(engine, 15)
    tries = []
    for minute in range(60):
        if start_due():
            tries.append(minute)
            engine.settle()
        clock.pass_by(MINUTE)
    assert tries == [0, 5, 15, 35]
    assert WorkingState.objects.get().failures == 4
    assert len(model.requests) == 4
    cortex(tell)
    clock.pass_by(HOUR)
    settle(engine, clock)
    assert Synthesis.objects.get().event_count == 15
    assert WorkingState.objects.get().failures == 0


def test_what_goes_wrong_for_one_audience_does_not_hold_up_the_others(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    cortex(tell)
    mia = person_of(engine.team, "member")
    many(engine, 15)
    many(engine, 15, types.person(mia.pk), word="private")
    original = summing_up._heard_by

    def broken(reach: int) -> HeardBy:
        if reach < 0:
            raise ZeroDivisionError
        return original(reach)

    monkeypatch.setattr(summing_up, "_heard_by", broken)
    assert start_due() == 1
    engine.settle()
    assert Synthesis.objects.get().reach == 0


def test_an_empty_answer_is_a_failure(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    cortex(lambda request: say("   "))
    many(engine, 15)
    start_due()
    engine.settle()
    assert not Synthesis.objects.exists()
    assert WorkingEvent.objects.filter(synthesis=None).count() == 15


def test_one_that_people_cancelled_is_left_alone_for_a_while(engine: Engine, clock: Clock) -> None:
    many(engine, 15)
    assert start_due() == 1
    run = Run.objects.get()
    with unit_of_work():
        request_cancel(run, reason="enough")
    Run.objects.update(finished_at=clock.now)
    clock.pass_by(HOUR)
    assert start_due() == 0
    clock.pass_by(6 * HOUR)
    assert start_due() == 1


def test_a_summary_that_is_too_long_is_cut(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    cortex(lambda request: say("word " * 5_000))
    many(engine, 15)
    settle(engine, clock)
    assert len(Synthesis.objects.get().text.split()) <= 101
