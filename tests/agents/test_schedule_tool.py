"""What agents may plan: proposals that only people confirm, with times that the server works out."""

from __future__ import annotations

from typing import Any

import pytest

from agents.models import Run, ToolCall
from llm.clients.scripted import call
from llm.models import Provider
from llm.services.routing import forget_routing
from tasks.models import Firing, Schedule, ScheduleState
from tasks.services.schedules import acts, clock
from tests.agents.conftest import Engine


def ask(engine: Engine, **arguments: Any) -> ToolCall:
    engine.script(
        "channel",
        [call("schedule_create", prompt="Look at it.", **arguments), call("reply", content="Done.")],
    )
    engine.say("please plan this")
    engine.settle()
    return ToolCall.objects.filter(name="schedule_create").latest("pk")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"phrase": "every 30 minutes"}, ("interval", "", 1_800)),
        ({"phrase": "every weekday at nine"}, ("expression", "0 9 * * 1-5", None)),
        ({"kind": "interval", "minutes": 90}, ("interval", "", 5_400)),
        ({"kind": "daily", "times": ["08:15", "17:15"]}, ("expression", "15 8,17 * * *", None)),
        (
            {"kind": "weekly", "weekdays": ["thu", "mon"], "times": ["9:00"]},
            ("expression", "0 9 * * 1,4", None),
        ),
        ({"kind": "monthly", "ordinal": "first", "weekdays": ["mon"]}, ("expression", "0 9 * * 1#1", None)),
        ({"kind": "monthly", "ordinal": "last", "times": ["18:00"]}, ("expression", "0 18 L * *", None)),
        ({"kind": "monthly", "day": 15}, ("expression", "0 9 15 * *", None)),
        ({"kind": "in", "minutes": 20}, ("once", "", None)),
        ({"kind": "at", "times": ["23:59"]}, ("once", "", None)),
        ({"kind": "expression", "expression": "0 9 * * 7"}, ("expression", "0 9 * * 7", None)),
    ],
)
def test_the_server_works_out_when_and_answers_with_the_next_times(
    engine: Engine, arguments: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    done = ask(engine, **arguments)
    schedule = Schedule.objects.get()
    assert (schedule.kind, schedule.expression, schedule.interval_s) == expected
    assert (schedule.state, schedule.next_due_at) == (ScheduleState.PROPOSED, None)
    assert (schedule.owner_id, schedule.proposed_by_run_id) == (engine.team.member.user.pk, done.run_id)
    assert "Next times: " in done.result
    assert "a person has to confirm it" in done.result


@pytest.mark.parametrize(
    "arguments",
    [{"phrase": "whenever"}, {}, {"kind": "weekly"}, {"kind": "weekly", "weekdays": ["someday"]}, {"kind": "in"},
     {"kind": "daily", "times": ["8:15", "9:45"]}, {"kind": "daily", "times": ["25:00"]}, {"kind": "monthly"},
     {"kind": "at", "times": ["9:00"], "date": "2020-01-01"}, {"kind": "expression", "expression": "* * * * * *"},
     {"phrase": "every day", "time_zone": "Mars/Base"}],
)  # fmt: skip
def test_what_cannot_be_meant_goes_back_to_the_model(engine: Engine, arguments: dict[str, Any]) -> None:
    assert ask(engine, **arguments).state == "failed"
    assert not Schedule.objects.exists()
    assert engine.replies() == ["Done."]


def test_a_proposal_never_fires(engine: Engine) -> None:
    from datetime import timedelta

    from django.utils import timezone

    ask(engine, phrase="every minute")
    assert clock.tick(now=timezone.now() + timedelta(days=1)) == 0
    assert not Firing.objects.exists()


def change(engine: Engine, schedule: Schedule, action: str) -> ToolCall:
    engine.script(
        "channel",
        [call("schedule_change", schedule_id=schedule.pk, action=action), call("reply", content="Done.")],
    )
    engine.say("do it")
    engine.settle()
    return ToolCall.objects.filter(name="schedule_change").latest("pk")


def test_no_tool_starts_what_a_person_has_not_confirmed_or_has_paused(engine: Engine) -> None:
    ask(engine, phrase="every minute")
    schedule = Schedule.objects.get()
    assert change(engine, schedule, "resume").state == "failed"
    acts.confirm(engine.team.member, schedule.pk)
    acts.pause(engine.team.member, schedule.pk)
    assert "only a person" in change(engine, schedule, "resume").result
    schedule.refresh_from_db()
    assert schedule.state == ScheduleState.PAUSED


def test_a_tool_pauses_takes_its_own_pause_back_and_removes(engine: Engine) -> None:
    ask(engine, phrase="every minute")
    schedule = Schedule.objects.get()
    acts.confirm(engine.team.member, schedule.pk)
    states = []
    for action in ("pause", "resume", "delete"):
        assert change(engine, schedule, action).state == "succeeded"
        schedule.refresh_from_db()
        states.append(schedule.state)
    assert states == ["paused", "active", "finished"]
    assert schedule.deleted_at is not None


def test_what_belongs_to_somebody_else_cannot_be_touched(engine: Engine) -> None:
    ask(engine, phrase="every minute")
    schedule = Schedule.objects.get()
    Schedule.objects.update(owner=engine.team.owner.user)
    assert change(engine, schedule, "delete").state == "failed"
    schedule.refresh_from_db()
    assert schedule.deleted_at is None


def test_without_a_model_a_sentence_becomes_a_schedule_and_its_file(engine: Engine) -> None:
    Provider.objects.all().delete()
    forget_routing(engine.team.organization.pk)
    engine.say("every minute write the time to clock.txt")
    engine.settle()
    schedule = Schedule.objects.get()
    assert (schedule.prompt, schedule.interval_s) == ("write the time to clock.txt", 60)
    assert "Proposed as schedule" in engine.replies()[-1]
    acts.confirm(engine.team.member, schedule.pk)
    schedule.refresh_from_db()
    assert schedule.next_due_at is not None
    clock.tick(now=schedule.next_due_at)
    engine.settle()
    firing = Firing.objects.get()
    assert (firing.execution, firing.delivery) == ("succeeded", "delivered")
    assert "I wrote clock.txt" in engine.replies()[-1]
    assert (engine.workspace / "clock.txt").read_text().endswith("(UTC)")
    assert Run.objects.filter(kind="worker").count() == 1


@pytest.mark.parametrize(
    ("sentence", "prompt", "words"),
    [
        ("check my inbox every 30 minutes", "check my inbox", 1_800),
        ("In twenty minutes, remind me to stretch", "remind me to stretch", None),
        ("Please tell me the news every weekday at nine", "tell me the news", None),
        ("the first Monday of the month send the report", "send the report", None),
    ],
)
def test_without_a_model_these_are_understood(
    engine: Engine, sentence: str, prompt: str, words: int | None
) -> None:
    Provider.objects.all().delete()
    forget_routing(engine.team.organization.pk)
    engine.say(sentence)
    engine.settle()
    schedule = Schedule.objects.get()
    assert (schedule.prompt, schedule.interval_s) == (prompt, words)
