"""The one way a task's row is written: under its lock, with the next revision, the event and what both tell."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.errors import Conflict, NotFound
from realtime.services import NewEvent, record
from tasks import visibility
from tasks.authors import Author
from tasks.errors import Stale
from tasks.models import Audience, Goal, Happening, Task, TaskRevision, TaskState
from tasks.services.wakes.ringing import happened
from tasks.snapshots import snapshot

NEXT_NUMBER = """
insert into tasks_taskcounter (organization_id, last_number) values (%s, 1)
on conflict (organization_id) do update set last_number = tasks_taskcounter.last_number + 1
returning last_number
"""
LOCK = """
insert into tasks_taskcounter (organization_id, last_number) values (%s, 0)
on conflict (organization_id) do update set last_number = tasks_taskcounter.last_number
"""


def next_number(organization_id: int) -> int:
    """Take the next task number. A transaction that fails gives it back; a task that goes keeps it."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_NUMBER, [organization_id])
        return int(cursor.fetchone()[0])


def lock_graph(organization_id: int) -> None:
    """Hold an organization's dependencies and goal tree until the commit, so that two writers make no cycle."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [organization_id])


def lock_task(author: Author, number: int, *, expected_revision: int | None = None) -> Task:
    """Return a task the author may see, its row held. Raises NotFound and Stale."""
    task = visibility.tasks(author).filter(number=number).select_for_update(no_key=True, of=("self",)).first()
    if task is None:
        raise NotFound(f"There is no task #{number}.")
    check_revision(task, expected_revision)
    return task


def check_revision(row: Task | Goal, expected: int | None) -> None:
    if expected is not None and expected != row.revision:
        raise Stale(expected=expected, current=row.revision)


def check_on_board(task: Task) -> None:
    if task.archived_at is not None:
        raise Conflict(f"Task #{task.number} is off the board. Put it back first.")


def write(
    task: Task,
    author: Author,
    values: dict[str, Any],
    *,
    summary: str = "",
    restored_from: int | None = None,
) -> Task:
    """Store columns of a held row as its next revision and record the event."""
    for column, value in values.items():
        setattr(task, column, value)
    if values.get("state"):
        task.completed_at = timezone.now() if task.state == TaskState.DONE else None
        if task.state != TaskState.BLOCKED:
            task.blocked_reason = ""
    task.revision += 1
    task.save()
    add_revision(task, author, summary=summary, restored_from=restored_from)
    record(task.organization_id, task_changed(task))
    if values.get("state") == TaskState.READY and author.is_person:
        wake_those_of(task, Happening.TASK_APPROVED)
    return task


def wake_those_of(task: Task, happening: Happening, *, without: int | None = None) -> None:
    """Wake the agents whose task it is; where it is nobody's and everyone sees it, all of them."""
    theirs = [task.assignee_agent_id, task.owner_agent_id]
    is_open = theirs == [None, None] and task.assignee_user_id is None
    happened(
        task.organization_id,
        happening,
        key=f"task:{task.number}",
        payload={"task": task.number},
        agent_ids=None if is_open and task.audience == Audience.ORGANIZATION else theirs,
        without=without,
    )


def add_revision(
    task: Task, author: Author, *, summary: str = "", restored_from: int | None = None
) -> TaskRevision:
    return TaskRevision.objects.create(
        organization_id=task.organization_id,
        task=task,
        number=task.revision,
        snapshot=snapshot(task),
        author_kind=author.kind,
        author_user_id=author.author_user_id,
        author_agent_id=author.agent_id,
        run_id=author.run_id,
        summary=summary[:200],
        restored_from=restored_from,
    )


def task_changed(task: Task, kind: str = "task.changed") -> NewEvent:
    """Return the event of a task, for those who may see it; it names the task and tells none of its words."""
    payload = {"number": task.number, "state": task.state, "revision": task.revision}
    return NewEvent(kind=kind, payload=payload, conversation_id=_place(task))


def goal_changed(goal: Goal) -> NewEvent:
    payload = {"id": goal.pk, "status": goal.status, "revision": goal.revision}
    return NewEvent(kind="goal.changed", payload=payload, conversation_id=_place(goal))


def _place(row: Task | Goal) -> int | None:
    """Return the conversation to whose people an event is limited. A row for few whose conversation is gone still
    tells everyone its number and state, which say nothing."""
    return row.conversation_id if row.audience == Audience.CONVERSATION else None
