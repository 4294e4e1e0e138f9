"""Attempts: a run takes a ready task, and its end settles the task. Each side is one transaction."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Max
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, NotFound
from realtime.services import record, unit_of_work
from tasks.agents import workforce
from tasks.authors import Author, by_person, check_person
from tasks.errors import NotStartable
from tasks.models import Attempt, AuthorKind, Happening, Outcome, Task, TaskState
from tasks.services.changes import check_on_board, lock_task, task_changed, write
from tasks.services.wakes.ringing import happened
from tasks.transitions import check_move

MOST_INTERRUPTIONS = 3
"""After so many interrupted attempts in a row a task fails, instead of being picked up for ever."""

AFTER: dict[Outcome, TaskState] = {
    Outcome.SUCCEEDED: TaskState.DONE,
    Outcome.PARTIAL: TaskState.BLOCKED,
    Outcome.FAILED: TaskState.FAILED,
    Outcome.TIMED_OUT: TaskState.FAILED,
    Outcome.CANCELLED: TaskState.BLOCKED,
    Outcome.INTERRUPTED: TaskState.READY,
}
"""Where an attempt's end leaves its task. Half-done and stopped work waits for a person, so that nobody picks up
again what a person has just stopped."""


def start_task(actor: Actor, number: int, *, expected_revision: int | None = None) -> Task:
    """Set the assigned agent to work, under the actor's authority. Raises NotStartable, MoveRefused, Stale."""
    author = by_person(actor)
    check_person(actor)
    with unit_of_work():
        task = lock_task(author, number, expected_revision=expected_revision)
        if task.assignee_agent_id is None:
            raise NotStartable("Assign the task to an agent first; then it can be started.")
        begin(
            author, task, agent_id=task.assignee_agent_id, start=lambda task: workforce().start(actor, task)
        )
    return task


def begin(author: Author, task: Task, *, agent_id: int, start: Callable[[Task], int]) -> Attempt:
    """Open an attempt on a held task with the run that `start` makes, in the caller's transaction.

    Raises before anything is written: NotStartable, Conflict, MoveRefused.
    """
    check_on_board(task)
    if task.state != TaskState.READY:
        raise NotStartable(f"Task #{task.number} is {task.get_state_display().lower()}, not ready.")
    check_move(author, task, TaskState.IN_PROGRESS)
    check_unblocked(task)
    if task.assignee_user_id is not None or task.assignee_agent_id not in (None, agent_id):
        raise NotStartable(f"Task #{task.number} is somebody else's to do.")
    if task.attempts.filter(ended_at=None).exists():
        raise NotStartable(f"A worker is on task #{task.number} already.")
    run_id = start(task)
    last = task.attempts.aggregate(last=Max("number"))["last"] or 0
    attempt = Attempt.objects.create(
        organization_id=task.organization_id,
        task=task,
        number=last + 1,
        agent_id=agent_id,
        run_id=run_id,
        started_by_user_id=author.author_user_id,
        revision=task.revision,
    )
    values = {"state": TaskState.IN_PROGRESS, "assignee_agent_id": agent_id}
    write(task, author, values, summary=f"Attempt {attempt.number} began")
    return attempt


def check_unblocked(task: Task) -> None:
    """Raise NotStartable while something that the task needs is not done."""
    open_needs = task.dependencies.exclude(needs__state=TaskState.DONE).order_by("needs__number")
    numbers = list(open_needs.values_list("needs__number", flat=True)[:5])
    if numbers:
        named = ", ".join(f"#{number}" for number in numbers)
        raise NotStartable(f"Task #{task.number} waits for {named}.")


def settle(run_id: int, outcome: Outcome, summary: str, *, kind: AuthorKind = AuthorKind.WORKER) -> bool:
    """End the open attempt of a run and move its task on; say whether there was one. Twice changes nothing.

    Called inside the run's own terminal write, so it raises nothing that would keep a run from ending.
    """
    task_id = Attempt.objects.filter(run_id=run_id, ended_at=None).values_list("task_id", flat=True).first()
    if task_id is None:
        return False
    with unit_of_work(savepoint=False):
        task = Task.objects.select_for_update(no_key=True).get(pk=task_id)
        attempt = Attempt.objects.filter(run_id=run_id, ended_at=None).first()
        if attempt is None:
            return False
        attempt.outcome, attempt.summary, attempt.ended_at = outcome, summary, timezone.now()
        attempt.save(update_fields=["outcome", "summary", "ended_at"])
        author = Author(kind, task.organization_id, agent_id=attempt.agent_id, run_id=run_id)
        _move_on(task, attempt, author)
        _wake(task, attempt)
    return True


def _wake(task: Task, attempt: Attempt) -> None:
    if attempt.outcome == Outcome.CANCELLED:  # Whoever stopped it knows.
        return
    is_done = attempt.outcome in (Outcome.SUCCEEDED, Outcome.PARTIAL)
    happened(
        task.organization_id,
        Happening.WORK_FINISHED if is_done else Happening.WORK_FAILED,
        key=f"task:{task.number}",
        payload={"task": task.number, "attempt": attempt.number, "outcome": attempt.outcome},
        agent_ids=[attempt.agent_id],
    )


def _move_on(task: Task, attempt: Attempt, author: Author) -> None:
    if task.state != TaskState.IN_PROGRESS:
        record(task.organization_id, task_changed(task))
        return
    after = AFTER[Outcome(attempt.outcome)]
    if attempt.outcome == Outcome.INTERRUPTED and _interrupted_in_a_row(task) >= MOST_INTERRUPTIONS:
        after = TaskState.FAILED
    check_move(author, task, after)
    reason = {Outcome.PARTIAL: "Partly done", Outcome.CANCELLED: "Stopped"}.get(Outcome(attempt.outcome), "")
    said = " ".join(attempt.summary.split())
    blocked = f"{reason}: {said}"[:300] if after == TaskState.BLOCKED else ""
    values = {"state": after, "blocked_reason": blocked}
    write(task, author, values, summary=f"Attempt {attempt.number}: {attempt.get_outcome_display().lower()}")


def _interrupted_in_a_row(task: Task) -> int:
    outcomes = list(task.attempts.order_by("-number").values_list("outcome", flat=True)[:MOST_INTERRUPTIONS])
    count = 0
    for outcome in outcomes:
        if outcome != Outcome.INTERRUPTED:
            break
        count += 1
    return count


def stop_task(actor: Actor, number: int, *, reason: str = "") -> None:
    """Ask the worker that is on a task to stop. Those who could start it may. Raises Conflict when there is none."""
    author = by_person(actor)
    check_person(actor)
    from tasks.queries.board import find_task, open_attempt

    task = find_task(author, number)
    attempt = open_attempt(task)
    if attempt is None:
        raise Conflict(f"No worker is on task #{number}.")
    if task.state == TaskState.IN_PROGRESS:
        check_move(author, task, TaskState.BLOCKED)
    workforce().stop(actor, attempt.run_id, reason)


def find_bound_task(run_id: int) -> Task | None:
    """Return the task that a run is at work on, if it is."""
    attempt = Attempt.objects.filter(run_id=run_id, ended_at=None).select_related("task").first()
    return attempt.task if attempt else None


def lock_bound_task(run_id: int) -> Task:
    """Return the same, its row held. Raises NotFound when the run is bound to none (any more)."""
    task = find_bound_task(run_id)
    if task is None:
        raise NotFound("You are not bound to a task.")
    task = Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    if not task.attempts.filter(run_id=run_id, ended_at=None).exists():
        raise NotFound("You are not bound to a task any more.")
    return task
