"""What a proposed row would do if it were approved: the action that is digested, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasks.models import Goal, GoalStatus, Priority, Schedule, ScheduleState, Task, TaskState
from tasks.schedules.timing import timing_of
from tasks.schedules.words import describe
from tasks.services.approvals.asking import Asker
from tasks.snapshots import snapshot

Row = Task | Goal | Schedule

TASK_FIELDS = (
    "title",
    "description",
    "subtasks",
    "goal_id",
    "assignee",
    "worker_type",
    "skills",
    "workspace",
    "needs",
)
"""What would run, and for whom; with the requester, whose authority it runs with."""

SCHEDULE_FIELDS = (
    "name", "prompt", "kind", "expression", "interval_s", "time_zone",
    "timeout_s", "run_once", "misfire", "grace_s", "overlap",
)  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """A row as its approval sees it. `lines` are what the action says, for reading and for showing what changed."""

    kind: str
    row: Row
    waits: bool
    action: dict[str, Any]
    title: str
    lines: tuple[str, ...]
    asker: Asker


def proposal_of(row: Row) -> Proposal:
    if isinstance(row, Task):
        return _task(row)
    return _goal(row) if isinstance(row, Goal) else _schedule(row)


def waits(row: Row) -> bool:
    """Say whether the row waits for somebody's decision."""
    if isinstance(row, Task):
        return row.state == TaskState.PENDING_APPROVAL and row.archived_at is None
    if isinstance(row, Goal):
        return row.status == GoalStatus.PROPOSED
    return row.state == ScheduleState.PROPOSED and row.deleted_at is None


def _task(task: Task) -> Proposal:
    kept = snapshot(task)
    action = {
        "do": "put on the board",
        "number": task.number,
        "requester_user_id": task.requester_user_id,
        "requester_person_id": task.requester_person_id,
        **{field: kept[field] for field in TASK_FIELDS},
    }
    lines = [task.title, *task.description.splitlines()]
    lines += [f"[{'x' if item['done'] else ' '}] {item['title']}" for item in task.subtasks]
    if kept["assignee"]:
        lines.append(f"To be done by: {' '.join(map(str, kept['assignee']))}")
    if kept["needs"]:
        lines.append("Needs: " + ", ".join(f"#{number}" for number in kept["needs"]))
    if task.goal_id is not None:
        lines.append(f"Goal: {task.goal_id}")
    if task.skills:
        lines.append(f"Skills: {', '.join(task.skills)}")
    lines.append(f"Files: {task.get_workspace_display()}")
    return Proposal(
        "task",
        task,
        waits(task),
        action,
        f"#{task.number} {task.title}",
        tuple(lines),
        Asker(
            task.organization_id,
            agent_id=task.created_by_agent_id,
            run_id=task.created_by_run_id,
            conversation_id=task.conversation_id,
            requester_user_id=task.requester_user_id,
            requester_person_id=task.requester_person_id,
        ),
    )


def _goal(goal: Goal) -> Proposal:
    action = {
        "do": "activate",
        "goal": goal.pk,
        "title": goal.title,
        "description": goal.description,
        "priority": Priority(goal.priority).label,
        "due_on": goal.due_on.isoformat() if goal.due_on else None,
        "parent_id": goal.parent_id,
        "authority": goal.authority,
    }
    lines = [goal.title, *goal.description.splitlines(), f"Priority: {action['priority']}"]
    if goal.due_on:
        lines.append(f"Due: {goal.due_on.isoformat()}")
    if goal.parent_id is not None:
        lines.append(f"Serves goal: {goal.parent_id}")
    lines.append(f"Agents may: {goal.get_authority_display().lower()}")
    return Proposal(
        "goal",
        goal,
        waits(goal),
        action,
        goal.title,
        tuple(lines),
        asker_of_goal(goal, goal.created_by_user_id),
    )


def asker_of_goal(goal: Goal, user_id: int | None) -> Asker:
    return Asker(
        goal.organization_id,
        agent_id=goal.agent_id,
        run_id=goal.run_id,
        conversation_id=goal.conversation_id,
        requester_user_id=user_id,
    )


def _schedule(schedule: Schedule) -> Proposal:
    timing = timing_of(schedule)
    action = {
        "do": "run when it is due",
        "schedule": schedule.pk,
        "conversation": schedule.conversation_id,
        "agent": schedule.agent_id,
        "owner": schedule.owner_id,
        **{field: getattr(schedule, field) for field in SCHEDULE_FIELDS},
        "anchor_at": schedule.anchor_at.isoformat() if schedule.anchor_at else None,
        "once_at": schedule.once_at.isoformat() if schedule.once_at else None,
        "active_from": schedule.active_from.isoformat() if schedule.active_from else None,
        "active_until": schedule.active_until.isoformat() if schedule.active_until else None,
    }
    lines = [describe(timing), *schedule.prompt.splitlines()]
    if schedule.active_from and schedule.active_until:
        lines.append(f"Only from {schedule.active_from:%H:%M} until {schedule.active_until:%H:%M}")
    lines.append(f"Time limit: {schedule.timeout_s} s")
    return Proposal(
        "schedule",
        schedule,
        waits(schedule),
        action,
        f"{schedule.name} · {describe(timing)}",
        tuple(lines),
        Asker(
            schedule.organization_id,
            agent_id=schedule.agent_id,
            run_id=schedule.proposed_by_run_id,
            conversation_id=schedule.conversation_id,
            requester_user_id=schedule.owner_id,
        ),
    )
