"""What a crash leaves between a run and its task, and how it is settled. A lost lease stands in for a killed process."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from agents.engine import endings, executor, recovery
from agents.engine.journal import DatabaseJournal
from agents.models import Run, RunState
from llm.clients.scripted import call
from tasks.models import Attempt, Task, TaskState
from tasks.services import starting
from tasks.services.starting import start_task
from tests.agents.conftest import Engine
from tests.agents.test_recovery import Killed, die_at, run_until_killed
from tests.tasks.test_work import DONE, ready_task


def started(engine: Engine, *steps: Any) -> tuple[Task, Run]:
    task = ready_task(engine)
    engine.script("worker", list(steps))
    start_task(engine.team.member, task.number)
    return task, Run.objects.get(kind="worker")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("place", ["complete", "store_step", "finish", "close", "settle", "write"])
def test_run_attempt_and_task_end_together_wherever_it_dies(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, place: str, before: bool
) -> None:
    task, run = started(engine, DONE, DONE)
    owners: dict[str, tuple[Any, str]] = {
        "complete": (executor, "complete"),
        "store_step": (DatabaseJournal, "_store_step"),
        "finish": (endings, "finish"),
        "close": (endings, "_close"),
        "settle": (starting, "settle"),
        "write": (starting, "write"),
    }
    die_at(monkeypatch, *owners[place], before=before)
    run_until_killed(engine, run)
    run.refresh_from_db()
    task.refresh_from_db()
    attempt = Attempt.objects.get()
    assert (run.state, task.state, attempt.ended_at) == (RunState.RUNNING, TaskState.IN_PROGRESS, None)
    engine.settle_run(run)
    run.refresh_from_db()
    task.refresh_from_db()
    attempt.refresh_from_db()
    assert (run.state, task.state, attempt.outcome) == (RunState.SUCCEEDED, TaskState.DONE, "succeeded")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("place", ["start_run", "write"])
def test_a_start_that_dies_leaves_a_ready_task_and_no_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, place: str, before: bool
) -> None:
    from agents.engine import wakeups

    task = ready_task(engine)
    die_at(monkeypatch, wakeups if place == "start_run" else starting, place, before=before)
    with pytest.raises(Killed):
        start_task(engine.team.member, task.number)
    task.refresh_from_db()
    assert task.state == TaskState.READY
    assert not Run.objects.filter(kind="worker").exists()
    start_task(engine.team.member, task.number)
    assert Attempt.objects.get().number == 1


@pytest.mark.parametrize(
    ("state", "outcome", "after"),
    [
        (RunState.SUCCEEDED, "succeeded", TaskState.DONE),
        (RunState.FAILED, "failed", TaskState.FAILED),
        (RunState.TIMED_OUT, "timed_out", TaskState.FAILED),
        (RunState.CANCELLED, "cancelled", TaskState.BLOCKED),
        (RunState.INTERRUPTED, "interrupted", TaskState.READY),
    ],
)
def test_the_sweep_settles_what_ended_past_the_board(
    engine: Engine, state: RunState, outcome: str, after: TaskState
) -> None:
    task, run = started(engine)
    recovery.sweep()
    assert Attempt.objects.get().ended_at is None
    Run.objects.filter(pk=run.pk).update(state=state, finished_at=timezone.now(), outcome="done")
    recovery.sweep()
    task.refresh_from_db()
    assert (task.state, Attempt.objects.get().outcome) == (after, outcome)
    revision = task.revision
    recovery.sweep()
    task.refresh_from_db()
    assert task.revision == revision


def test_a_run_that_is_gone_gives_its_task_back(engine: Engine) -> None:
    task, run = started(engine)
    run.delete()
    recovery.sweep()
    task.refresh_from_db()
    assert (task.state, Attempt.objects.get().outcome) == (TaskState.READY, "interrupted")
    start_task(engine.team.member, task.number)


def test_a_task_that_is_interrupted_again_and_again_fails(engine: Engine) -> None:
    task = ready_task(engine)
    for _ in range(starting.MOST_INTERRUPTIONS):
        start_task(engine.team.member, task.number)
        Run.objects.filter(kind="worker").delete()
        recovery.sweep()
    task.refresh_from_db()
    assert task.state == TaskState.FAILED


def test_a_worker_that_fails_by_itself_settles_its_task(engine: Engine) -> None:
    task, _ = started(
        engine, "I am done, I think.", "Really.", "So it is.", call("set_outcome", status="done", summary="x")
    )
    engine.settle()
    task.refresh_from_db()
    assert (task.state, Attempt.objects.get().outcome) == (TaskState.FAILED, "failed")
