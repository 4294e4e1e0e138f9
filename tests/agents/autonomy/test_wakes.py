"""What the end of a run means for what woke it, and that nothing that rang is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.autonomy import ending, starting
from agents.engine import recovery
from agents.errors import LostLease
from agents.models import Run, RunKind, RunState, ToolCall
from llm.clients.scripted import call, fail, say
from llm.errors import ProviderUnavailable
from realtime.models import Notice
from tasks.jobs import prune_wakes
from tasks.models import (
    Wake,
    WakeEvent,
    WakePayload,
    WakeState,
)
from tasks.queries.wakes import list_wakes
from tasks.services.wakes import taking
from tasks.services.wakes.definitions import get_wake
from tasks.services.wakes.ringing import fire
from tests.agents.autonomy.conftest import FINISH, Alone, event


def test_ending_without_a_summary_is_a_failure_and_what_woke_it_waits_again(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    alone.script(say("I looked."), say("Really."), say("Bye."))
    run = alone.work()
    assert (run.state, run.failure["message"]) == (RunState.FAILED, "It ended without a summary.")  # type: ignore[index]
    waiting = event("task.approved")
    assert waiting is not None
    assert waiting.tries == 1
    row = alone.row()
    assert row.failures_in_row == 1
    assert row.not_before is not None
    assert Notice.objects.filter(user=alone.team.admin.user, subject="run", subject_id=run.pk).exists()
    alone.later(minutes=4)
    assert alone.look() == 0, "it rests"
    alone.later(minutes=2)
    alone.script()
    assert alone.work().state == RunState.SUCCEEDED
    assert alone.row().failures_in_row == 0
    assert not Notice.objects.filter(user=alone.team.admin.user, read_at=None).exists()


def test_it_rests_longer_after_each_failure() -> None:
    rests = [ending.rest_after(count) for count in range(1, 12)]
    assert rests[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert rests[-1] == timedelta(hours=6)


def test_an_event_over_which_runs_fail_is_given_up_with_the_reason(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    for _ in range(taking.MOST_TRIES):
        alone.script(fail(ProviderUnavailable("down")), *([fail(ProviderUnavailable("down"))] * 20))
        assert alone.look() == 1
        run = alone.last()
        Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
        alone.engine.execute(run)
        alone.later(hours=7)
    found = event("task.approved", WakeState.DROPPED)
    assert found is not None
    assert found.reason == "5 runs failed over it."


def test_a_run_that_died_gives_back_what_it_had_taken(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    assert alone.look() == 1
    run = alone.last()
    assert event("task.approved", WakeState.TAKEN)
    Run.objects.filter(pk=run.pk).update(state=RunState.INTERRUPTED, finished_at=timezone.now())
    recovery.sweep()
    again = event("task.approved")
    assert again is not None
    assert (again.run_id, again.tries) == (None, 0)


def test_a_lost_executor_is_followed_by_another_from_the_last_step(alone: Alone) -> None:
    alone.let("act")
    alone.task()

    def lost(request: object) -> object:
        raise LostLease("died")

    alone.script(call("task_list"), lost, FINISH)
    assert alone.look() == 1
    run = alone.last()
    alone.engine.execute(run)
    assert event("task.approved", WakeState.TAKEN)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    alone.engine.execute(run)
    run.refresh_from_db()
    assert (run.state, run.recoveries) == (RunState.SUCCEEDED, 1)
    assert ToolCall.objects.filter(run=run, name="task_list").count() == 1
    assert event("task.approved", WakeState.DONE)


def test_two_that_look_at_once_start_one_and_the_database_refuses_a_second(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    assert alone.look() == 1
    assert starting.start_one(alone.agent.pk, now=alone.now + timedelta(hours=1)) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(
            organization=alone.team.organization,
            agent=alone.agent,
            kind=RunKind.AUTONOMY,
            due_at=timezone.now(),
        )


def test_a_wake_tells_when_it_fired_last_whatever_rang_it(alone: Alone) -> None:
    alone.let("act")
    before = {wake.happening: wake.last_fired_at for wake in list_wakes(alone.team.admin, alone.agent.pk)}
    assert set(before.values()) == {None}
    alone.task()
    fire(Wake.objects.get(happening="cortex.finding").pk, payload={})
    fired = {wake.happening for wake in list_wakes(alone.team.admin, alone.agent.pk) if wake.last_fired_at}
    assert fired == {"task.approved", "cortex.finding"}
    assert get_wake(alone.team.admin, Wake.objects.get(happening="task.approved").pk).last_fired_at


def test_repeats_merge_and_keep_every_payload(alone: Alone) -> None:
    alone.let("act")
    wake = Wake.objects.get(happening="cortex.finding")
    for number in range(5):
        fire(wake.pk, key="same", payload={"number": number})
    found = WakeEvent.objects.get()
    assert (found.count, found.payloads.count()) == (5, 5)
    model = alone.script()
    assert alone.look() == 1
    fire(wake.pk, key="same", payload={"number": 5})
    assert WakeEvent.objects.count() == 2, "what fires during a run is for the next one"
    taking.give_back([alone.last().pk])
    merged = WakeEvent.objects.get()
    assert (merged.count, merged.state) == (6, WakeState.PENDING)
    assert WakePayload.objects.filter(event=merged).count() == 6
    assert model.requests == []


def test_what_waits_for_a_week_is_given_up_with_the_reason_and_what_is_long_over_goes(alone: Alone) -> None:
    alone.let("observe")
    wake = Wake.objects.get(happening="cortex.finding")
    for key in ("old", "new", "over"):
        fire(wake.pk, key=key, payload={})
    days = {"old": 8, "new": 6, "over": 91}
    for key, ago in days.items():
        WakeEvent.objects.filter(key=key).update(last_at=timezone.now() - timedelta(days=ago))
    WakeEvent.objects.filter(key="over").update(
        state=WakeState.DONE, closed_at=timezone.now() - timedelta(days=91)
    )
    assert django_settings.CELERY_BEAT_SCHEDULE["prune wakes"]["task"] == prune_wakes.name
    prune_wakes()
    found = {event.key: (event.state, event.reason) for event in WakeEvent.objects.all()}
    assert found == {"old": (WakeState.DROPPED, taking.EXPIRED), "new": (WakeState.PENDING, "")}
