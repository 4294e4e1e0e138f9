"""What a lost executor leaves, and how the next one goes on. A lost lease stands in for a killed process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from agents.engine import endings, executor, records, recovery
from agents.engine.claims import claim, fenced
from agents.engine.journal import DatabaseJournal
from agents.errors import LostLease
from agents.models import CallState, Run, RunState, Step, ToolCall
from agents.tools.gate import Gate
from llm.clients.scripted import call
from messaging.models import Handling, Message
from tests.agents.conftest import Engine

DONE = call("set_outcome", status="done", summary="ok")


class Killed(BaseException):
    """As if the process had died here: nothing may catch it."""


def die_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, before: bool, times: int = 1) -> None:
    original: Callable[..., Any] = getattr(owner, name)
    left = [times]

    def dying(*args: Any, **kwargs: Any) -> Any:
        if left[0] and before:
            left[0] -= 1
            raise Killed
        result = original(*args, **kwargs)
        if left[0]:
            left[0] -= 1
            raise Killed
        return result

    monkeypatch.setattr(owner, name, dying)


def expire(run: Run) -> None:
    connection.close()
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def run_until_killed(engine: Engine, run: Run) -> None:
    with pytest.raises(Killed):
        engine.execute(run)
    expire(run)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("place", ["complete", "finish", "store_step", "store_calls"])
def test_a_reply_survives_death_at_any_boundary(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, place: str, before: bool
) -> None:
    engine.script("channel", lambda request: call("reply", content="Here."))
    engine.say("hello")
    run = Run.objects.get(kind="channel")
    owners: dict[str, tuple[Any, str]] = {
        "complete": (executor, "complete"),
        "finish": (endings, "finish"),
        "store_step": (DatabaseJournal, "_store_step"),
        "store_calls": (records, "store_calls"),
    }
    die_at(monkeypatch, *owners[place], before=before)
    run_until_killed(engine, run)
    assert engine.replies() == []
    assert engine.execute(run)
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert engine.replies() == ["Here."]
    assert not Message.objects.filter(handling=Handling.UNANSWERED).exists()


def worker_with(engine: Engine, *steps: Any) -> Run:
    engine.script(
        "channel",
        [call("spawn_worker", task="do it") + call("reply", content="ok"), call("reply", content="told")],
    )
    engine.script("worker", list(steps))
    engine.say("do")
    engine.execute(Run.objects.get(kind="channel"))
    return Run.objects.get(kind="worker")


@pytest.mark.parametrize("before", [True, False])
def test_an_unsafe_call_of_unknown_result_is_not_repeated(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    worker = worker_with(engine, call("append_file", path="log", content="line\n"), DONE)
    die_at(monkeypatch, Gate, "run_external", before=before)
    run_until_killed(engine, worker)
    engine.settle_run(worker)
    row = ToolCall.objects.get(name="append_file")
    assert row.state == CallState.UNKNOWN
    written = engine.workspace / "log"
    assert (written.read_text() if written.exists() else "") == ("" if before else "line\n")
    assert "whether this call took effect is unknown" in str(engine.models["worker"].requests[-1].messages)
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED


def test_a_safe_call_of_unknown_result_is_repeated(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = worker_with(engine, call("write_file", path="notes", content="hi"), DONE)
    die_at(monkeypatch, Gate, "run_external", before=False)
    run_until_killed(engine, worker)
    engine.settle_run(worker)
    assert ToolCall.objects.get(name="write_file").state == CallState.SUCCEEDED
    assert Step.objects.filter(run=worker).count() == 2


def test_an_outcome_beside_an_unfinished_call_is_not_lost(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = worker_with(engine, call("write_file", path="notes", content="hi") + DONE)
    die_at(monkeypatch, records, "update_call", before=True)
    run_until_killed(engine, worker)
    engine.settle_run(worker)
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED
    assert len(engine.models["worker"].requests) == 1


def test_children_are_started_once_though_their_parent_died(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.script("channel", lambda request: call("branch", task="think") + call("reply", content="ok"))
    engine.say("think")
    run = Run.objects.get(kind="channel")
    die_at(monkeypatch, endings, "finish", before=False)
    run_until_killed(engine, run)
    assert not Run.objects.filter(kind="branch").exists()
    engine.execute(run)
    assert Run.objects.filter(kind="branch").count() == 1


def test_a_run_that_dies_again_and_again_is_given_up_with_words(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.script("channel", lambda request: call("reply", content="never"))
    engine.say("hello")
    run = Run.objects.get(kind="channel")
    die_at(monkeypatch, executor, "complete", before=True, times=99)
    for _ in range(executor.MOST_RECOVERIES + 1):
        run_until_killed(engine, run)
    assert engine.execute(run)
    run.refresh_from_db()
    assert run.state == RunState.INTERRUPTED
    assert len(engine.replies()) == 1


def test_a_database_that_goes_away_leaves_the_run_to_its_lease(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.script("channel", lambda request: call("reply", content="Here."))
    engine.say("hello")
    run = Run.objects.get(kind="channel")
    with monkeypatch.context() as patch:

        def gone(*args: Any, **kwargs: Any) -> None:
            raise OperationalError("server closed the connection unexpectedly")

        patch.setattr(DatabaseJournal, "record", gone)
        assert engine.execute(run)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    expire(run)
    engine.execute(run)
    assert engine.replies() == ["Here."]


def test_a_second_executor_cannot_write_under_the_old_fence(engine: Engine) -> None:
    engine.say("hello")
    run = Run.objects.get(kind="channel")
    first = claim(run.pk, run.kind, run.conversation_id)
    assert first is not None
    assert claim(run.pk, run.kind, run.conversation_id) is None
    expire(run)
    second = claim(run.pk, run.kind, run.conversation_id)
    assert second is not None
    assert second.fence == first.fence + 1
    with pytest.raises(LostLease), fenced(first):
        pass
    with fenced(second):
        pass


def test_the_sweeper_finds_forgotten_and_silent_runs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "UNSEEN_S", 60)
    engine.say("hello")
    run = Run.objects.get(kind="channel")
    assert recovery.sweep() == 0
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=70))
    assert recovery.sweep() == 1
    claim(run.pk, run.kind, run.conversation_id)
    assert recovery.sweep() == 0
    expire(run)
    assert recovery.sweep() == 1


def test_leases_of_a_dead_process_of_this_machine_end_at_once(engine: Engine) -> None:
    import socket

    engine.say("hello")
    run = Run.objects.get(kind="channel")
    claim(run.pk, run.kind, run.conversation_id)
    assert recovery.expire_dead_owners() == 0
    Run.objects.filter(pk=run.pk).update(lease_owner=f"{socket.gethostname()}:999999:1")
    assert recovery.expire_dead_owners() == 1
    Run.objects.filter(pk=run.pk).update(
        lease_owner="elsewhere:1:1", lease_expires_at=timezone.now() + timedelta(seconds=60)
    )
    assert recovery.expire_dead_owners() == 0


def test_what_was_forgotten_is_taken_up_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "FORGOTTEN_S", 60)
    engine.script("channel", [call("reply", content="Here.")])
    engine.say("hello")
    Run.objects.all().delete()
    assert recovery.wake_forgotten() == 0
    Message.objects.update(created_at=timezone.now() - timedelta(seconds=70))
    assert recovery.wake_forgotten() == 1
    assert recovery.wake_forgotten() == 0
    engine.settle()
    assert engine.replies() == ["Here."]
