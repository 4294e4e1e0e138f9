"""The clock of schedules and the runs it starts, killed at every boundary: each instant has one line, one run, one message."""

from __future__ import annotations

import signal
from datetime import timedelta
from itertools import pairwise

import pytest

from accounts.boundaries import CLOCK_BOUNDARIES
from agents.models import Run, RunKind
from messaging.models import Message
from tasks.models import Firing, Schedule
from tasks.services.schedules.editing import create_schedule
from tasks.services.schedules.fields import When
from tests.agents.conftest import Engine
from tests.faults.conftest import Victim

pytestmark = pytest.mark.slow

RUN_BOUNDARIES = (
    "run.claimed", "model.before", "model.after", "step.before", "step.stored", "end.before", "end.written",
    "end.committed", "nudge.before",
)  # fmt: skip


def plan(engine: Engine) -> Schedule:
    return create_schedule(
        engine.team.member,
        conversation_id=engine.conversation.pk,
        prompt=f"think m-{engine.conversation.pk}-2",
        name="Job",
        when=When(phrase="every minute"),
        overlap="parallel",
    )


def due(schedule: Schedule) -> str:
    schedule.refresh_from_db()
    assert schedule.next_due_at is not None
    return schedule.next_due_at.isoformat()


def check(schedule: Schedule, count: int) -> None:
    lines = list(Firing.objects.filter(schedule=schedule).order_by("due_at"))
    assert [line.execution for line in lines] == ["succeeded"] * count
    assert {b.due_at - a.due_at for a, b in pairwise(lines)} <= {timedelta(minutes=1)}
    runs = Run.objects.filter(kind=RunKind.CRON)
    assert sorted(runs.values_list("pk", flat=True)) == sorted(line.run_id or 0 for line in lines)
    texts = list(Message.objects.filter(direction="out").values_list("text", flat=True))
    mark = f"m-{schedule.conversation_id}-2"
    assert texts == [f"echo {mark}\n\necho {mark}; told {mark}"] * count


def test_an_instant_fires_once_whichever_boundary_the_clock_dies_at(
    engine: Engine,
    victim: Victim,
) -> None:
    schedule = plan(engine)
    for boundary in CLOCK_BOUNDARIES:
        moment = due(schedule)
        victim.arm("clock", boundary)
        assert victim("clock", "tick", moment) == -signal.SIGKILL, boundary
        assert victim("clock", "tick", moment) == 0
    assert victim("worker", "work") == 0
    check(schedule, len(CLOCK_BOUNDARIES))


def test_a_job_is_delivered_once_whichever_boundary_its_worker_dies_at(
    engine: Engine,
    victim: Victim,
) -> None:
    schedule = plan(engine)
    for boundary in RUN_BOUNDARIES:
        assert victim("clock", "tick", due(schedule)) == 0
        victim.die_at(boundary)
    check(schedule, len(RUN_BOUNDARIES))
