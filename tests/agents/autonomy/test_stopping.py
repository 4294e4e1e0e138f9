"""Pausing an agent or all of them, and the switch that stops everything."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.actor import actor_for
from accounts.errors import Forbidden, NotFound
from accounts.models import AuditEvent, Membership, Organization
from agents.autonomy import pausing
from agents.engine import recovery
from agents.engine.claims import claim_next
from agents.models import Run, RunKind, RunState
from llm.clients.scripted import call
from realtime.models import Event
from tasks.models import Firing, Reason, TaskState, WakeState
from tasks.services.schedules import clock
from tasks.services.schedules.editing import create_schedule
from tasks.services.schedules.fields import When
from tests.agents.autonomy.conftest import DONE, FINISH, Alone, event


def test_a_pause_closes_what_is_queued_and_starts_nothing_until_it_is_over(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    assert alone.look() == 1
    assert pausing.pause(alone.team.admin, alone.agent.pk, reason="holidays") == 1
    run = alone.last()
    assert (run.state, run.cancel_reason) == (RunState.CANCELLED, f"paused by {alone.team.admin.user}")
    recovery.sweep()
    assert event("task.approved"), "what woke it waits"
    alone.later(hours=1)
    assert alone.look() == 0
    pausing.resume(alone.team.admin, alone.agent.pk)
    alone.script()
    assert alone.work().state == RunState.SUCCEEDED
    assert event("task.approved", WakeState.DONE)


def test_a_pause_of_the_organization_holds_every_agent(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    pausing.pause(alone.team.admin)
    assert alone.look() == 0
    assert pausing.paused_agents([alone.agent.pk]) == {alone.agent.pk}
    pausing.resume(alone.team.admin)
    assert alone.look() == 1


def test_a_worker_that_is_queued_stays_so_while_the_agent_is_paused(alone: Alone) -> None:
    alone.let("act")
    task = alone.task()
    alone.script(call("begin_task", number=task.number), FINISH)
    alone.engine.script("worker", [DONE])
    assert alone.look() == 1
    alone.engine.execute(alone.last())
    worker = Run.objects.get(kind=RunKind.WORKER)
    pausing.pause(alone.team.admin, alone.agent.pk)
    assert not alone.engine.execute(worker)
    pausing.resume(alone.team.admin, alone.agent.pk)
    alone.engine.settle()
    task.refresh_from_db()
    assert task.state == TaskState.DONE


def test_what_slips_into_the_queue_of_a_paused_agent_is_closed(alone: Alone) -> None:
    alone.let("act")
    pausing.pause(alone.team.admin, alone.agent.pk)
    late = Run.objects.create(
        organization=alone.team.organization, agent=alone.agent, kind=RunKind.AUTONOMY, due_at=timezone.now()
    )
    Run.objects.create(
        organization=alone.team.organization, agent=alone.agent, kind=RunKind.CRON, due_at=timezone.now(),
        conversation=alone.engine.conversation,
    )  # fmt: skip
    assert not alone.engine.execute(late)
    assert claim_next(RunKind.CRON) is None
    Run.objects.filter(kind=RunKind.CRON).delete()
    recovery.sweep()
    late.refresh_from_db()
    assert late.state == RunState.CANCELLED


def test_a_schedule_of_a_paused_agent_says_why_it_did_not_run(alone: Alone) -> None:
    schedule = create_schedule(
        alone.team.member,
        conversation_id=alone.engine.conversation.pk,
        prompt="Report.",
        when=When(phrase="every minute"),
    )
    pausing.pause(alone.team.admin, alone.agent.pk)
    schedule.refresh_from_db()
    assert clock.tick(now=schedule.next_due_at) == 1
    assert Firing.objects.get().reason == Reason.AGENT_PAUSED


def test_only_administrators_pause_resume_and_stop(alone: Alone) -> None:
    for act in (pausing.pause, pausing.resume, pausing.halt):
        with pytest.raises(Forbidden):
            act(alone.team.moderator, alone.agent.pk)
    pausing.pause(alone.team.admin, alone.agent.pk)
    pausing.pause(alone.team.admin, alone.agent.pk)
    assert AuditEvent.objects.filter(action="autonomy.paused").count() == 1


def test_the_switch_stops_what_runs_waits_and_is_queued_and_tells_the_time(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    started = threading.Event()

    def slow(request: object) -> object:
        started.set()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            time.sleep(0.1)
            if Run.objects.filter(kind=RunKind.CHANNEL, cancel_requested_at__isnull=False).exists():
                break
        return call("reply", content="too late")

    alone.engine.script("channel", slow)
    alone.engine.say("hello")
    channel = Run.objects.get(kind=RunKind.CHANNEL)

    def execute() -> None:
        Run.objects.filter(pk=channel.pk).update(due_at=timezone.now())
        alone.engine.execute(channel)
        connection.close()

    thread = threading.Thread(target=execute)
    thread.start()
    assert started.wait(30)
    assert alone.look() == 1
    before = timezone.now()
    halted = pausing.halt(alone.team.admin, alone.agent.pk, reason="it runs wild")
    thread.join(60)
    channel.refresh_from_db()
    told = Event.objects.filter(kind="autonomy.changed", created_at__gte=channel.finished_at)
    assert told.exists(), "a page that was being opened meanwhile hears of the end"
    found = pausing.progress_of(halted)
    assert (found.count, found.left) == (1, 0), "the queued run was closed by the pause before"
    assert found.took is not None
    assert timedelta(0) < found.took <= timezone.now() - before
    assert not Run.objects.filter(state__in=["queued", "running", "waiting"]).exists()
    assert alone.engine.replies() == []
    assert pausing.latest_halt(alone.team.admin, alone.agent.pk) == halted


def test_stopping_another_organizations_agents_is_not_possible(alone: Alone) -> None:
    rivals = Organization.objects.get(slug="rivals")
    rival = actor_for(Membership.objects.get(organization=rivals, role="admin"))
    alone.let("act")
    with pytest.raises(NotFound):
        pausing.halt(rival, alone.agent.pk)
    alone.task()
    pausing.halt(rival)
    assert alone.look() == 1
