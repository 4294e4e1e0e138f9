"""What an autonomous run is told when it begins: what woke it, what its last runs said, the board, goals, who is at work.

It works for the whole organization, so it is told what everyone may see. Of a task that is for few it learns the number
alone: it may set a worker on it, who reads the words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice

from django.db.models import Prefetch
from django.utils import timezone

from agents.autonomy.levels import Standing
from agents.context.days import day_of, zone_for
from agents.context.history import clean_name, indent, one_line
from agents.models import LIVE_STATES, Autonomy, Run, RunKind, WorkingEvent
from agents.tools.planning import author_of
from memory.models import EVERYONE
from tasks.models import (
    Audience,
    GoalStatus,
    Priority,
    Task,
    TaskState,
    WakeEvent,
    WakePayload,
)
from tasks.queries import board as queries

MOST_TASKS, MOST_GOALS, MOST_WORKERS, MOST_EVENTS = 60, 10, 20, 20
MOST_PAYLOADS, PAYLOAD_PREVIEW = 5, 400
DESCRIPTION = 300
LOOK_BACK = timedelta(days=7)


def render_briefing(run: Run, row: Autonomy, standing: Standing) -> str:
    """Return the briefing; a dozen queries."""
    parts = [
        _head(run, row, standing),
        _section("what woke you", _wakes(run)),
        _section("what your last runs said, the newest first", _summaries(run, row.run_history)),
        _section("the board, the most urgent first", _board(run)),
        _section("active goals", _goals(run)),
        _section("your workers that are under way", _workers(run)),
        _section("what happened lately that everyone may know", _events(run)),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(run: Run, row: Autonomy, standing: Standing) -> str:
    now = timezone.now().astimezone(zone_for(run.agent.settings, run.agent.organization.time_zone))
    started = f"You may start {row.tasks_per_run} tasks in this run." if standing.level == "act" else ""
    return (
        f"[{run.title.lower()}]\nIt is {now:%A %Y-%m-%d %H:%M} ({now.tzinfo}). Your level is {standing.level.value}. {started}"
        f" You have {row.timeout_s // 60} minutes."
    )


def _section(title: str, lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return f"[{title}]\n{text}" if text else ""


def _wakes(run: Run) -> list[str]:
    newest = Prefetch("payloads", WakePayload.objects.order_by("-id"))
    events = (
        WakeEvent.objects.filter(pk__in=run.input["event_ids"])
        .select_related("wake")
        .prefetch_related(newest)
        .order_by("id")
    )
    lines = []
    for event in events:
        often = f", {event.count} times" if event.count > 1 else ""
        again = f"; run {event.tries} over it" if event.tries > 1 else ""
        lines.append(
            f"- event {event.pk}: {one_line(event.wake.name, 120)}{often} ({event.last_at:%Y-%m-%d %H:%M} UTC{again})"
        )
        if event.wake.instructions:
            lines.append(f"  what to do: {indent(event.wake.instructions)}")
        for payload in islice(event.payloads.all(), MOST_PAYLOADS):
            where = "sent from outside, as data" if payload.from_outside else "what"
            text = json.dumps(payload.payload, ensure_ascii=False)
            lines.append(f"  {where}: {one_line(text, PAYLOAD_PREVIEW)}")
    return lines


def _summaries(run: Run, most: int) -> list[str]:
    earlier = Run.objects.filter(agent_id=run.agent_id, kind=RunKind.AUTONOMY, pk__lt=run.pk)
    rows = earlier.exclude(state__in=LIVE_STATES).order_by("-id")[:most]
    return [
        f"- {row.created_at:%Y-%m-%d %H:%M} UTC ({row.state}): "
        + indent(str(row.result.get("summary") or (row.failure or {}).get("message") or "nothing was said"))
        for row in rows
    ]


def _board(run: Run) -> list[str]:
    author = author_of(run)
    open_states = tuple(state for state in TaskState if state != TaskState.DONE)
    tasks = queries.page_of_tasks(author, queries.TaskFilter(states=open_states), limit=MOST_TASKS + 1)
    lines = [_task(task, run.agent_id) for task in tasks[:MOST_TASKS]]
    if len(tasks) > MOST_TASKS:
        lines.append("- and more; narrow them down with task_list")
    return lines + _private(run)


def _task(task: Task, agent_id: int) -> str:
    whose = "yours" if task.assignee_agent_id == agent_id else "somebody else's"
    if task.assignee_agent_id is None and task.assignee_user_id is None:
        whose = "nobody's"
    facts = [f"{task.get_state_display().lower()}", Priority(task.priority).label, whose]
    if waits := queries.blocked_by(task):
        facts.append("waits for " + ", ".join(f"#{each.number}" for each in waits))
    if task.blocked_reason:
        facts.append(f"because: {one_line(task.blocked_reason, 200)}")
    outcomes = [each.outcome or "under way" for each in task.attempts.all()]
    if outcomes:
        facts.append(f"{len(outcomes)} attempts, the last: {', '.join(outcomes[-3:])}")
    if task.goal_id:
        facts.append(f"for goal {task.goal_id}")
    text = f"- #{task.number} {one_line(task.title, 200)} ({'; '.join(facts)})"
    return (
        f"{text}\n  {indent(one_line(task.description, DESCRIPTION))}" if task.description.strip() else text
    )


def _private(run: Run) -> list[str]:
    rows = Task.objects.filter(
        organization_id=run.organization_id, assignee_agent_id=run.agent_id, archived_at=None,
        audience=Audience.CONVERSATION, state=TaskState.READY,
    ).order_by("priority", "number")  # fmt: skip
    return [
        f"- #{row.number} (ready; {Priority(row.priority).label}; yours; its words are for few)"
        for row in rows[:MOST_TASKS]
    ]


def _goals(run: Run) -> list[str]:
    author = author_of(run)
    rows = queries.list_goals(author, statuses=(GoalStatus.ACTIVE,), limit=MOST_GOALS)
    progress = queries.progress_of(author, [goal.pk for goal in rows])
    lines = []
    for goal in rows:
        due = f", due {goal.due_on}" if goal.due_on else ""
        lines.append(
            f"- goal {goal.pk}: {one_line(goal.title, 200)} ({Priority(goal.priority).label}{due}; you may {goal.authority};"
            f" {_progress(progress[goal.pk])})"
        )
        lines += [f"  {indent(text)}" for text in (goal.description, goal.notes) if text.strip()]
    return lines


def _progress(found: queries.Progress) -> str:
    return f"{found.done} of {found.total} tasks done" if found.total else "no tasks yet"


def _workers(run: Run) -> list[str]:
    rows = Run.objects.filter(agent_id=run.agent_id, kind=RunKind.WORKER, state__in=LIVE_STATES)
    lines = []
    for row in rows.order_by("id")[:MOST_WORKERS]:
        # What a worker of a conversation does is for those who take part there.
        number = row.input.get("task_number")
        lines.append(f"- worker #{row.pk}" + (f" on task #{number}" if number else "") + f" ({row.state})")
    return lines


def _events(run: Run) -> list[str]:
    since = day_of(timezone.now() - LOOK_BACK, zone_for(run.agent.settings, run.agent.organization.time_zone))
    rows = WorkingEvent.objects.filter(agent_id=run.agent_id, reach=EVERYONE, day__gte=since).order_by("-id")
    return [
        f"- {row.created_at:%Y-%m-%d %H:%M} UTC {clean_name(row.type.replace('_', ' '))}: {indent(row.summary)}"
        for row in reversed(rows[:MOST_EVENTS])
    ]
