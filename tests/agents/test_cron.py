"""Scheduled jobs from the clock's tick to the delivered message."""

from __future__ import annotations

from typing import Any

from agents.models import Report, Run, RunKind, RunState
from llm.clients.scripted import call, say
from tasks.models import Execution, Firing, Schedule
from tasks.services.schedules import clock
from tasks.services.schedules.editing import create_schedule
from tasks.services.schedules.fields import When
from tests.agents.conftest import Engine


def plan(engine: Engine, **options: Any) -> Schedule:
    return create_schedule(
        engine.team.member,
        conversation_id=engine.conversation.pk,
        prompt="Report the time.",
        when=When(phrase="every minute"),
        **options,
    )


def fire(schedule: Schedule) -> Firing:
    schedule.refresh_from_db()
    assert schedule.next_due_at is not None
    assert clock.tick(now=schedule.next_due_at) == 1
    return Firing.objects.filter(schedule=schedule).latest("due_at")


def test_what_it_says_is_delivered_as_one_message(engine: Engine) -> None:
    engine.script("channel", [call("reply", content="It is nine.")])
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    assert engine.replies() == ["It is nine."]
    assert (firing.execution, firing.delivery, firing.outcome) == ("succeeded", "delivered", "It is nine.")
    assert firing.message is not None
    assert firing.message.run_id == firing.run_id


def test_it_waits_for_its_worker_without_a_thread_and_its_report_comes_to_it_alone(engine: Engine) -> None:
    engine.script(
        "channel",
        [
            (call("spawn_worker", task="look at the clock"), call("reply", content="First part.")),
            call("reply", content="The worker says nine."),
        ],
    )
    engine.script("worker", [call("set_outcome", status="done", summary="nine")])
    firing = fire(plan(engine))
    run = Run.objects.get(pk=firing.run_id)
    assert engine.execute(run)
    run.refresh_from_db()
    assert run.state == RunState.WAITING
    assert engine.replies() == []
    engine.settle()
    assert engine.replies() == ["First part.\n\nThe worker says nine."]
    assert not Run.objects.filter(kind=RunKind.CHANNEL).exists()
    assert Report.objects.get().told_by_id == run.pk


def test_a_job_that_says_nothing_has_failed(engine: Engine) -> None:
    engine.script("channel", [say("")] * 3)
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    assert firing.execution == Execution.FAILED
    assert "failed" in engine.replies()[0]
