"""An engine whose agent may work by itself, and a clock that the tests move."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.autonomy import settings, starting
from agents.models import Autonomy, Run, RunKind
from llm.clients.scripted import ScriptedModel, call
from llm.types import UserMessage
from tasks.authors import by_person
from tasks.models import Task, WakeEvent, WakeState
from tasks.services import board, moves
from tasks.snapshots import Holder
from tests.agents.conftest import Engine

FINISH = call("finish", summary="Looked at the board; nothing else to do.")


DONE = call("set_outcome", status="done", summary="The notes are written.")


def told(model: ScriptedModel) -> str:
    """Return the briefing of a model's first run."""
    return next(each.text for each in model.requests[0].messages if isinstance(each, UserMessage))


def event(happening: str, state: str = WakeState.PENDING) -> WakeEvent | None:
    return WakeEvent.objects.filter(wake__happening=happening, state=state).first()


class Alone:
    """The engine's agent by itself. `now` only moves forward, by `later`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.team = engine.team
        self.agent = engine.team.agent
        self.now: datetime = timezone.now()

    def let(self, level: str = "act", **limits: Any) -> Autonomy:
        return settings.change_autonomy(self.team.admin, self.agent.pk, level=level, **limits)

    def script(self, *steps: Any) -> ScriptedModel:
        """Let its own runs follow `steps`; they ask the model of branches."""
        return self.engine.script("branch", list(steps) if steps else lambda request: FINISH)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def look(self) -> int:
        """Start what is due at the tests' time."""
        return starting.start_due(now=self.now)

    def work(self) -> Run:
        """Start a run that must be due, and execute it with all that follows."""
        assert self.look() == 1
        run = self.last()
        self.engine.settle()
        run.refresh_from_db()
        return run

    def last(self) -> Run:
        return Run.objects.filter(kind=RunKind.AUTONOMY).latest("id")

    def runs(self) -> int:
        return Run.objects.filter(kind=RunKind.AUTONOMY).count()

    def row(self) -> Autonomy:
        return Autonomy.objects.get(agent=self.agent)

    def task(self, title: str = "Write the notes", **values: Any) -> Task:
        """Put a task of the agent on the board, ready: a moderator asked for it."""
        holder = values.pop("assignee", Holder("agent", self.agent.pk))
        task = board.create_task(by_person(self.team.moderator), title=title, assignee=holder, **values)
        return moves.move_task(by_person(self.team.moderator), task.number, "ready")


@pytest.fixture
def alone(engine: Engine) -> Alone:
    return Alone(engine)
