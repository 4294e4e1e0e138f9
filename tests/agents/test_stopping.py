"""Cancellation and deadlines, with the real lease keeper watching from its own thread."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from agents.engine import claims, leases
from agents.models import Run, RunState
from agents.services.runs import cancel_run
from llm.clients.scripted import Scripted, call, hang
from tests.agents.conftest import Engine


def execute_in_thread(engine: Engine, run: Run) -> threading.Thread:
    def work() -> None:
        try:
            engine.execute(run)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_until_running(run: Run) -> None:
    until = time.monotonic() + 30
    while run.state != RunState.RUNNING:
        assert time.monotonic() < until, "it never ran"
        time.sleep(0.02)
        run.refresh_from_db()


def wait_until_over(thread: threading.Thread) -> None:
    thread.join(60)
    assert not thread.is_alive(), "it never ended"


def start_worker(engine: Engine, *steps: Scripted) -> Run:
    engine.script(
        "channel",
        [call("spawn_worker", task="do it") + call("reply", content="ok"), call("reply", content="told")],
    )
    engine.script("worker", list(steps))
    engine.say("do it")
    engine.execute(Run.objects.get(kind="channel"))
    return Run.objects.get(kind="worker")


def test_a_hanging_model_is_cancelled_within_two_seconds(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds are counted as the looks of the keeper, of which each second has two: a machine may stand still."""
    looks: list[float] = []
    look = leases.keeper._look

    def counted(kept: dict[int, claims.Claim]) -> None:
        looks.append(time.monotonic())
        look(kept)

    monkeypatch.setattr(leases.keeper, "_look", counted)
    assert leases.keeper.poll_s == 0.5
    worker = start_worker(engine, hang())
    thread = execute_in_thread(engine, worker)
    wait_until_running(worker)
    time.sleep(0.2)
    cancel_run(engine.team.member, worker.pk, reason="never mind")
    asked = len(looks)
    wait_until_over(thread)
    worker.refresh_from_db()
    assert worker.state == RunState.CANCELLED
    assert worker.result == {"reason": "never mind"}
    assert (len(looks) - asked) * leases.keeper.poll_s <= 2


def test_a_cancelled_reply_leaves_its_messages_explained(engine: Engine) -> None:
    engine.script("channel", [hang()])
    message = engine.say("hello")
    run = Run.objects.get(kind="channel")
    thread = execute_in_thread(engine, run)
    wait_until_running(run)
    cancel_run(engine.team.member, run.pk)
    wait_until_over(thread)
    message.refresh_from_db()
    assert (message.handling, message.handling_reason) == ("skipped", "cancelled")
    assert engine.replies() == []


def test_the_deadline_counts_active_time_and_is_told(engine: Engine) -> None:
    worker = start_worker(engine, hang())
    Run.objects.filter(pk=worker.pk).update(active_limit_s=600, active_ms=599_700)
    started = time.monotonic()
    engine.execute(worker)
    assert time.monotonic() - started < 60
    worker.refresh_from_db()
    assert worker.state == RunState.TIMED_OUT
    assert worker.active_ms >= 600_000
    engine.settle()
    assert engine.replies() == ["ok", "told"]


def test_an_executor_whose_lease_was_taken_writes_nothing(engine: Engine) -> None:
    engine.script("channel", [Scripted(text="too late", delay_s=20), call("reply", content="mine")])
    engine.say("hello")
    run = Run.objects.get(kind="channel")
    thread = execute_in_thread(engine, run)
    wait_until_running(run)
    Run.objects.filter(pk=run.pk).update(fence=run.fence + 1, lease_owner="another:1:1")
    wait_until_over(thread)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    assert engine.replies() == []


def test_the_keeper_renews_leases(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_S", 0.1)
    seen = threading.Event()

    def wait(request: object) -> Scripted:
        seen.wait(60)
        return call("reply", content="ok")

    engine.script("channel", wait)
    engine.say("hello")
    run = Run.objects.get(kind="channel")
    thread = execute_in_thread(engine, run)
    wait_until_running(run)
    Run.objects.filter(pk=run.pk).update(lease_owner=claims.lease_owner(), lease_expires_at=run.created_at)
    run.lease_expires_at = run.created_at
    until = time.monotonic() + 30
    while run.lease_expires_at <= run.created_at and time.monotonic() < until:
        time.sleep(0.05)
        run.refresh_from_db()
    seen.set()
    assert run.lease_expires_at > run.created_at
    wait_until_over(thread)
    assert engine.replies() == ["ok"]
