"""Nudges: whoever is due is looked at when it is due, without the sweep, which makes up for lost ones alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents import jobs
from agents.engine import wakeups
from agents.models import Run, RunKind, RunState
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from realtime.services import unit_of_work
from tests.agents.conftest import Engine

Nudge = tuple[int, float]


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[Nudge]:
    """Stand in for the broker; each nudge with the seconds after which it comes."""
    asked: list[Nudge] = []

    def take(args: tuple[int, str, int], countdown: float, **options: Any) -> None:
        asked.append((args[0], countdown))

    monkeypatch.setattr(jobs.execute, "apply_async", take)
    return asked


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let messages wait for company so long that no pause of the machine ends it."""
    monkeypatch.setattr(wakeups, "COALESCE_S", 60.0)
    monkeypatch.setattr(wakeups, "COALESCE_MAX_S", 200.0)


def queued(conversation: Conversation) -> Run:
    return Run.objects.get(conversation=conversation, kind=RunKind.CHANNEL, state=RunState.QUEUED)


def left_s(run: Run) -> float:
    return (run.due_at - timezone.now()).total_seconds()


def test_a_run_that_is_put_off_is_nudged_again_for_when_it_is_due(
    engine: Engine, nudges: list[Nudge], minute: None
) -> None:
    others = [engine.team.owner.user.pk]
    engine.conversation = start_conversation(
        engine.team.member, agent_id=engine.team.agent.pk, kind="group", user_ids=others
    )
    engine.say("one")
    run = queued(engine.conversation)
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(seconds=20))
    engine.say("two")
    run.refresh_from_db()
    assert [number for number, _ in nudges] == [run.pk, run.pk]
    assert left_s(run) > 30
    assert left_s(run) <= nudges[-1][1] <= wakeups.COALESCE_S


def test_it_is_never_nudged_later_than_a_burst_may_last(
    engine: Engine, nudges: list[Nudge], minute: None
) -> None:
    engine.conversation = start_conversation(
        engine.team.member, agent_id=engine.team.agent.pk, kind="group", user_ids=[engine.team.owner.user.pk]
    )
    engine.say("one")
    soon = timezone.now() + timedelta(seconds=50)
    Run.objects.filter(conversation=engine.conversation).update(coalesce_until=soon)
    engine.say("two")
    assert queued(engine.conversation).due_at == soon
    assert nudges[-1][1] <= 50


def test_what_a_person_says_alone_does_not_wait_for_a_report_that_does(
    engine: Engine, nudges: list[Nudge]
) -> None:
    with unit_of_work():
        wakeups.ensure_channel_run(engine.conversation, delay_s=60)
    run = queued(engine.conversation)
    engine.say("hello")
    assert nudges == [(run.pk, 60), (run.pk, 0)]
    assert engine.execute(run)


def test_a_run_that_is_due_is_not_nudged_for_every_message(engine: Engine, nudges: list[Nudge]) -> None:
    engine.say("one")
    engine.say("two")
    assert len(nudges) == 1
