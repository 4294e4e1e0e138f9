"""A clock and a cortex for summaries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.context import knowledge
from agents.models import Run, RunState
from agents.services.summing_up import start_due
from llm.clients.scripted import Scripted, ScriptedModel, say
from llm.models import ModelEntry, Process, Provider, Route
from llm.services.routing import forget_routing
from llm.types import ChatRequest
from memory import types
from memory.types import HeardBy
from tests.agents.conftest import Engine
from tests.agents.working import happen

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


class Clock:
    """The time of day as everything that writes events and summaries sees it."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    settings.SPACEBOT_EMBEDDER = "hashing"
    knowledge._empty.clear()
    clock = Clock()
    for module in (
        "agents.services.events", "agents.services.summing_up", "agents.services.syntheses",
        "agents.context.working.snapshot", "agents.context.working.around",
    ):  # fmt: skip
        monkeypatch.setattr(f"{module}.timezone", type("Zone", (), {"now": staticmethod(clock)}))
    return clock


@pytest.fixture
def cortex(engine: Engine) -> Callable[..., ScriptedModel]:
    """Let the organization's cortex follow a script."""
    provider = Provider.objects.get(organization=engine.team.organization)
    entry = ModelEntry.objects.create(
        organization=engine.team.organization, provider=provider, name="cortex-script"
    )
    Route.objects.create(organization=engine.team.organization, process=Process.CORTEX, entry=entry)
    forget_routing(engine.team.organization.pk)
    return lambda script: engine.script("cortex", script)


def tell(request: ChatRequest) -> Scripted:
    return say("A summary of " + str(len(request.messages[-1].text.splitlines()) - 1) + " lines.")


def many(
    engine: Engine, count: int, heard_by: HeardBy = types.ORGANIZATION, word: str = "thing", **more: Any
) -> None:
    for number in range(count):
        happen(engine.team, f"{word} {number}", heard_by=heard_by, **more)


def settle(engine: Engine, clock: Clock) -> None:
    """Do what is due now, with runs created at the clock's time, until nothing is."""
    for _ in range(60):
        started = start_due()
        Run.objects.filter(state=RunState.QUEUED).update(created_at=clock.now)
        engine.settle()
        clock.pass_by(MINUTE)
        if not started:
            return
