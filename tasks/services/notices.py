"""Notices of work: a task that ended, a goal that somebody else changed, a schedule that failed or was stopped."""

from __future__ import annotations

from realtime.models import NoticeKind
from realtime.notices.services import Subject, notify, settle
from tasks.authors import Author
from tasks.models import Audience, Goal, Schedule, ScheduleState, Task, TaskState

ENDS = {
    TaskState.DONE: (NoticeKind.DONE, "is done"),
    TaskState.FAILED: (NoticeKind.FAILURE, "has failed"),
    TaskState.BLOCKED: (NoticeKind.FAILURE, "is blocked"),
}


def task_moved(task: Task, author: Author) -> None:
    """Tell those whose task it is what came of it, unless they did it themselves; what was told before is settled."""
    key = f"task:{task.pk}"
    settle(task.organization_id, key)
    if task.state not in ENDS:
        return
    kind, words = ENDS[TaskState(task.state)]
    users = {task.owner_user_id, task.requester_user_id, task.assignee_user_id}
    if task.audience == Audience.ORGANIZATION:
        users.add(task.created_by_user_id)
    notify(
        task.organization_id,
        {user for user in users if user is not None and user != author.author_user_id},
        kind=kind,
        key=key,
        title=f"Task #{task.number} {words}",
        text=task.title if task.audience == Audience.ORGANIZATION else "",
        subject=Subject("task", task.number),
    )


def goal_changed(goal: Goal, author: Author, what: str) -> None:
    """Tell a goal's owner what somebody else did to it."""
    if goal.owner_user_id is None or goal.owner_user_id == author.author_user_id:
        return
    notify(
        goal.organization_id,
        [goal.owner_user_id],
        kind=NoticeKind.CHANGE,
        key=f"goal:{goal.pk}",
        title=f"Your goal {what}",
        text=goal.title if goal.audience == Audience.ORGANIZATION else "",
        subject=Subject("goal", goal.pk),
    )


def schedule_failed(schedule: Schedule, text: str) -> None:
    """Tell a schedule's owner that it failed, or that it was stopped after failing."""
    stopped = schedule.state == ScheduleState.BROKEN
    notify(
        schedule.organization_id,
        [schedule.owner_id] if schedule.owner_id is not None else [],
        kind=NoticeKind.BREAKER if stopped else NoticeKind.FAILURE,
        key=f"schedule:{schedule.pk}",
        title=f"“{schedule.name}” {'was stopped' if stopped else 'failed'}",
        text=text,
        subject=Subject("schedule", schedule.pk),
        conversation_id=schedule.conversation_id,
    )


def schedule_well(schedule: Schedule) -> None:
    """Settle what was told of failures: it works again, or somebody has looked after it."""
    settle(schedule.organization_id, f"schedule:{schedule.pk}")
