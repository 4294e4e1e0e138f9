"""When summaries are made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from agents.models import Agent, Synthesis, WorkingEvent
from agents.services.summing_up import start_due
from llm.clients.scripted import ScriptedModel
from memory import types
from tests.agents.conftest import Engine
from tests.agents.summing_up.conftest import DAY, HOUR, MINUTE, NOON, Clock, many, settle, tell
from tests.agents.working import happen, told_in


def test_fifteen_events_are_summed_up_and_stand_in_the_log_as_one(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    model = cortex(tell)
    many(engine, 14)
    assert start_due() == 0
    happen(engine.team, "the fifteenth", heard_by=types.ORGANIZATION)
    assert start_due() == 1
    assert start_due() == 0
    engine.settle()
    row = Synthesis.objects.get()
    assert (row.text, row.kind, row.event_count, row.reach) == ("A summary of 15 lines.", "intraday", 15, 0)
    assert not WorkingEvent.objects.filter(synthesis=None).exists()
    assert len(model.requests) == 1
    assert "thing 0" in model.requests[0].messages[-1].text
    told = told_in(engine.team, engine.conversation).log.text
    assert "A summary of 15 lines." in told
    assert "thing 3" not in told


def test_fewer_events_wait_four_hours(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    model = cortex(tell)
    many(engine, 5)
    clock.pass_by(4 * HOUR - MINUTE)
    assert start_due() == 0
    clock.pass_by(MINUTE)
    assert start_due() == 1
    engine.settle()
    assert len(model.requests) == 1


def test_between_two_parts_of_a_day_is_a_pause(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    cortex(tell)
    many(engine, 15)
    settle(engine, clock)
    many(engine, 15, word="more")
    assert start_due() == 0
    clock.pass_by(10 * MINUTE)
    assert start_due() == 1


def test_a_few_things_need_no_model(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    model = cortex(tell)
    many(engine, 2)
    clock.pass_by(13 * HOUR)
    settle(engine, clock)
    row = Synthesis.objects.get()
    assert (row.kind, str(row.day), row.run) == ("daily", "2026-03-10", None)
    assert row.text == "12:00 thing 0.\n12:00 thing 1."
    assert model.requests == []


def test_a_day_becomes_one_summary_of_its_parts_and_the_rest_after_midnight_where_the_agent_lives(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    Agent.objects.filter(pk=engine.team.agent.pk).update(settings={"time_zone": "America/New_York"})
    model = cortex(tell)
    many(engine, 15)
    settle(engine, clock)
    clock.now = NOON + 6 * HOUR
    many(engine, 6, word="later")
    clock.now = datetime(2026, 3, 11, 3, 59, tzinfo=UTC)  # One minute to midnight in New York.
    WorkingEvent.objects.filter(synthesis=None).update(created_at=clock.now)
    assert start_due() == 0
    clock.now += 5 * MINUTE
    assert start_due() == 0
    clock.now += 2 * MINUTE
    assert start_due() == 1
    engine.settle()
    day = Synthesis.objects.get(kind="daily")
    assert (str(day.day), day.event_count, day.text) == ("2026-03-10", 21, "A summary of 7 lines.")
    assert Synthesis.objects.get(kind="intraday").rolled_into == day
    assert "summary of 15 lines" in model.requests[-1].messages[-1].text
    assert "## Yesterday, 2026-03-10" in told_in(engine.team, engine.conversation).log.text


def test_days_on_which_the_system_was_down_are_summed_up_each_once(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    model = cortex(tell)
    for ago in range(3):
        clock.now = NOON + ago * DAY
        many(engine, 5, word=f"day{ago}")
    clock.now = NOON + 9 * DAY
    settle(engine, clock)
    days = Synthesis.objects.filter(kind="daily").order_by("day")
    assert [str(day.day) for day in days] == ["2026-03-10", "2026-03-11", "2026-03-12"]
    assert len(model.requests) == 3
    settle(engine, clock)
    assert len(model.requests) == 3


def test_what_comes_late_for_a_day_goes_into_its_summary(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    cortex(tell)
    many(engine, 5)
    clock.now = NOON + DAY
    settle(engine, clock)
    clock.now = NOON
    many(engine, 4, word="late")
    clock.now = NOON + DAY + HOUR
    settle(engine, clock)
    day = Synthesis.objects.get(kind="daily")
    assert day.event_count == 9
    assert day.text == "A summary of 5 lines."


def test_a_huge_day_is_summed_up_in_parts(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    model = cortex(tell)
    many(engine, 95)
    clock.now = NOON + DAY
    settle(engine, clock)
    assert Synthesis.objects.get(kind="daily").event_count == 95
    assert len(model.requests) == 3
    assert max(len(request.messages[-1].text) for request in model.requests) < 5_000
