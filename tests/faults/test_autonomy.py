"""An agent by itself, killed at every boundary: what woke it is dealt with, by one run, and nothing is lost."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.boundaries import AUTONOMY_BOUNDARIES
from agents.autonomy import settings
from agents.models import Run, RunKind
from tasks.authors import by_person
from tasks.models import WakeEvent, WakeState
from tasks.services import comments
from tasks.services.board import create_task
from tests.agents.conftest import Engine
from tests.faults.conftest import Victim

pytestmark = pytest.mark.slow

RUN_BOUNDARIES = (
    "run.claimed", "model.before", "model.after", "step.before", "step.stored", "end.before", "end.written", "end.committed",
)  # fmt: skip


class House:
    """An agent that may suggest, and a task that people comment on; each comment is one reason to wake it."""

    def __init__(self, engine: Engine) -> None:
        self.team = engine.team
        settings.change_autonomy(self.team.admin, self.team.agent.pk, level="suggest")
        self.task = create_task(by_person(self.team.moderator), title="Something to talk about")
        self.now: datetime = timezone.now()
        self.said = 0

    def comment(self) -> str:
        """Say something; return a moment at which the agent is due again."""
        self.said += 1
        comments.add_comment(by_person(self.team.moderator), self.task.number, f"Number {self.said}")
        self.now += timedelta(minutes=5)
        return self.now.isoformat()

    def check(self) -> None:
        events = list(WakeEvent.objects.filter(wake__happening="task.commented").order_by("id"))
        assert [event.state for event in events] == [WakeState.DONE] * self.said
        assert sum(event.count for event in events) == self.said
        runs = Run.objects.filter(kind=RunKind.AUTONOMY)
        assert sorted(runs.values_list("state", flat=True)) == ["succeeded"] * self.said
        assert sorted(event.run_id or 0 for event in events) == sorted(runs.values_list("pk", flat=True))


def test_a_wake_starts_one_run_whichever_boundary_its_start_dies_at(
    engine: Engine,
    victim: Victim,
) -> None:
    house = House(engine)
    for boundary in AUTONOMY_BOUNDARIES:
        moment = house.comment()
        victim.arm("clock", boundary)
        assert victim("clock", "look", moment) == -signal.SIGKILL, boundary
        assert victim("clock", "look", moment) == 0
        assert victim("worker", "work") == 0
    house.check()


def test_a_wake_is_acknowledged_once_whichever_boundary_its_run_dies_at(
    engine: Engine,
    victim: Victim,
) -> None:
    house = House(engine)
    for boundary in RUN_BOUNDARIES:
        assert victim("clock", "look", house.comment()) == 0
        victim.die_at(boundary)
    house.check()
