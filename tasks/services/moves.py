"""Moving tasks over the board, and the decisions that only people take."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.services import audit
from realtime.services import unit_of_work
from tasks import visibility
from tasks.authors import Author, by_person, check_person
from tasks.models import Audience, Task, TaskDecision, TaskState
from tasks.services.board import check_editor
from tasks.services.changes import check_on_board, lock_task, write
from tasks.services.proposals import doors
from tasks.services.starting import check_unblocked
from tasks.transitions import TRANSITIONS, capacities, check_move, may_decide, words


def move_task(
    author: Author, number: int, to: str, *, expected_revision: int | None = None, reason: str = ""
) -> Task:
    """Move a task to another state; where it is already, nothing happens.

    Out of `pending_approval` this is `approve_task`. Work of an agent begins with `start_task` and ends with its
    worker, so a task under way at a worker's hands cannot be moved. Raises Conflict, MoveRefused, Stale.
    """
    if to not in TaskState.values:
        raise InvalidInput("There is no such state.", field="state")
    if author.actor is not None and _waits(author, number):
        return approve_task(author.actor, number, expected_revision=expected_revision, to=to, note=reason)
    with unit_of_work():
        task = lock_task(author, number, expected_revision=expected_revision)
        check_on_board(task)
        if task.state == to:
            return task
        check_move(author, task, to)
        if task.attempts.filter(ended_at=None).exists():
            raise Conflict(f"A worker is on task #{task.number}. Stop it first, or wait for it.")
        if to == TaskState.IN_PROGRESS:
            check_unblocked(task)
            if task.assignee_agent_id is not None or not author.is_person:
                raise Conflict("An agent's work begins by starting the task.")
        values: dict[str, Any] = {"state": to}
        if to == TaskState.BLOCKED:
            values["blocked_reason"] = reason[:300]
        if to == TaskState.IN_PROGRESS and task.assignee_user_id is None:
            values["assignee_user_id"] = author.user_id
        return write(task, author, values, summary=reason)


def _waits(author: Author, number: int) -> bool:
    return visibility.tasks(author).filter(number=number, state=TaskState.PENDING_APPROVAL).exists()


def approve_task(
    actor: Actor,
    number: int,
    *,
    expected_revision: int | None = None,
    to: str = TaskState.READY,
    note: str = "",
) -> Task:
    """Approve a proposed task as it reads at `expected_revision`: it goes onto the board once enough people have.

    Decided by its approval, like in the inbox. Raises Forbidden, Conflict, Stale.
    """
    with unit_of_work():
        task = lock_task(by_person(actor), number, expected_revision=expected_revision)
        check_on_board(task)
        if task.state != TaskState.PENDING_APPROVAL:
            raise Conflict(f"Task #{task.number} does not wait for approval.")
        if (TaskState.PENDING_APPROVAL, TaskState(to)) not in TRANSITIONS:
            raise Conflict(f"A task cannot go from pending approval to {words(to)}.")
        approval = doors.approve(actor, task, comment=note, choice=to)
    doors.check_done(approval)
    task.refresh_from_db()
    return task


def put_on_board(actor: Actor, task: Task, *, to: str, note: str) -> None:
    """Let an approved task onto the board; its approval calls this, under the task's lock."""
    decided = _decided(actor, TaskDecision.APPROVED, note)
    write(task, by_person(actor), {"state": to, **decided}, summary=note or "Approved")
    audit.record(
        actor, actor.organization, "task.approved", f"task:{task.number}", revision=task.revision, to=to
    )


def reject_task(actor: Actor, number: int, *, expected_revision: int | None = None, note: str = "") -> Task:
    """Turn a proposed task down: it leaves the board with the reason, and can be put back to wait once more."""
    with unit_of_work():
        task = lock_task(by_person(actor), number, expected_revision=expected_revision)
        check_on_board(task)
        if task.state != TaskState.PENDING_APPROVAL:
            raise Conflict(f"Task #{task.number} does not wait for approval.")
        doors.reject(actor, task, comment=note)
    task.refresh_from_db()
    return task


def take_off_board(author: Author, task: Task, *, note: str) -> None:
    """Take a proposal off the board that was rejected by a person, or that nobody decided; its approval calls this."""
    values: dict[str, Any] = {"archived_at": timezone.now(), "decision_note": note[:1000]}
    if author.actor is not None:
        values |= _decided(author.actor, TaskDecision.REJECTED, note)
        audit.record(
            author.actor,
            author.actor.organization,
            "task.rejected",
            f"task:{task.number}",
            revision=task.revision,
        )
    write(task, author, values, summary=note or "Rejected")


def archive_task(actor: Actor, number: int) -> Task:
    """Take a task off the board; it and its number stay. Twice changes nothing."""
    author = by_person(actor)
    with unit_of_work():
        task = lock_task(author, number)
        check_person(actor)
        check_editor(author, task)
        if task.archived_at is not None:
            return task
        if task.state == TaskState.PENDING_APPROVAL:
            raise Conflict("A proposed task is approved or rejected.")
        if task.attempts.filter(ended_at=None).exists():
            raise Conflict(f"A worker is on task #{task.number}. Stop it first.")
        return write(task, author, {"archived_at": timezone.now()}, summary="Taken off the board")


def unarchive_task(actor: Actor, number: int) -> Task:
    """Put a task back on the board where it was; a rejected one waits for approval again."""
    author = by_person(actor)
    with unit_of_work():
        task = lock_task(author, number)
        check_person(actor)
        check_editor(author, task)
        if task.archived_at is None:
            return task
        values: dict[str, Any] = {"archived_at": None}
        if task.state == TaskState.PENDING_APPROVAL:
            values |= {"decision": "", "decided_by_id": None, "decided_at": None, "decision_note": ""}
        return write(task, author, values, summary="Put back on the board")


def show_to_everyone(actor: Actor, number: int) -> Task:
    """Let everyone in the organization see a task that came out of one conversation. Those who decide it may."""
    author = by_person(actor)
    with unit_of_work():
        task = lock_task(author, number)
        check_person(actor)
        if not may_decide(capacities(author, task)):
            raise Forbidden("Moderators decide who sees this, and the person with whose authority it runs.")
        if task.audience == Audience.ORGANIZATION:
            return task
        write(task, author, {"audience": Audience.ORGANIZATION}, summary="Shown to everyone")
        audit.record(actor, actor.organization, "task.shown_to_everyone", f"task:{task.number}")
        return task


def _decided(actor: Actor, decision: str, note: str) -> dict[str, Any]:
    return {
        "decision": decision,
        "decided_by_id": actor.user.pk,
        "decided_at": timezone.now(),
        "decision_note": note[:1000],
    }
