"""Goals and tasks as the API and agents' tools show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from accounts.actor import Actor
from tasks.agents import workforce
from tasks.authors import by_person
from tasks.models import Attempt, Goal, Priority, Task, TaskComment, TaskRevision, TaskState
from tasks.queries import board as queries
from tasks.queries.approvals import decidable_rows
from tasks.transitions import moves_for

Names = Mapping[int, str]


def task_payloads(actor: Actor, tasks: Collection[Task]) -> list[dict[str, Any]]:
    """Return tasks with what this actor may do to each; two queries, for the conversations they may look into and for
    what waits for them."""
    author, names = by_person(actor), workforce().names(actor.organization.pk)
    rooms = {task.conversation_id for task in tasks if task.conversation_id is not None}
    seen = queries.shown_conversations(actor, rooms)
    decides = decidable_tasks(actor, tasks)
    return [
        {
            **task_facts(task, names),
            "metadata": task.metadata,
            "audience": task.audience,
            "conversation_id": task.conversation_id if task.conversation_id in seen else None,
            "moves": moves_for(author, task, decides=task.pk in decides),
        }
        for task in tasks
    ]


def decidable_tasks(actor: Actor, tasks: Collection[Task]) -> set[int]:
    """Return which of the tasks wait for the actor's decision; no query where none waits for anybody."""
    return decidable_rows(
        actor, "task", [task.pk for task in tasks if task.state == TaskState.PENDING_APPROVAL]
    )


def task_payload(actor: Actor, task: Task) -> dict[str, Any]:
    """Return one task as it now is."""
    return task_payloads(actor, [queries.get_task(actor, task.number)])[0]


def task_facts(task: Task, names: Names) -> dict[str, Any]:
    """Return what everyone who sees a task may know of it. No query on rows of `readable_tasks`."""
    attempts = list(task.attempts.all())
    running = queries.open_attempt(task)
    return {
        "number": task.number,
        "title": task.title,
        "description": task.description,
        "subtasks": task.subtasks,
        "priority": Priority(task.priority).label,
        "goal": {"id": task.goal.pk, "title": task.goal.title} if task.goal else None,
        "state": task.state,
        "blocked_reason": task.blocked_reason,
        "needs": [each.needs.number for each in task.dependencies.all()],
        "blocked_by": [each.number for each in queries.blocked_by(task)],
        "owner": _holder(task.owner_user, task.owner_agent_id, names),
        "assignee": _holder(task.assignee_user, task.assignee_agent_id, names),
        "worker_type": task.worker_type,
        "skills": task.skills,
        "workspace": task.workspace,
        "requester": str(task.requester_user or task.requester_person or "") or None,
        "created_by": created_by(task, names),
        "created_by_kind": task.created_by_kind,
        "decision": task.decision,
        "decided_by": str(task.decided_by) if task.decided_by else None,
        "decided_at": task.decided_at,
        "decision_note": task.decision_note,
        "attempts": len(attempts),
        "running_run_id": running.run_id if running else None,
        "revision": task.revision,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "completed_at": task.completed_at,
        "archived_at": task.archived_at,
    }


def created_by(task: Task, names: Names) -> str:
    if task.created_by_user is not None:
        return str(task.created_by_user)
    return names.get(task.created_by_agent_id or 0, "An agent")


def _holder(user: Any, agent_id: int | None, names: Names) -> dict[str, Any] | None:
    if user is not None:
        return {"kind": "person", "id": user.pk, "name": str(user)}
    if agent_id is not None:
        return {"kind": "agent", "id": agent_id, "name": names.get(agent_id, "An agent")}
    return None


def author_name(row: TaskComment | TaskRevision, names: Names) -> str:
    if row.author_user is not None:
        return str(row.author_user)
    if row.author_agent_id is not None:
        return names.get(row.author_agent_id, "An agent")
    return "Someone who left" if row.author_kind == "person" else "The system"


def comment_payload(comment: TaskComment, names: Names) -> dict[str, Any]:
    return {
        "id": comment.pk,
        "text": comment.text,
        "author": author_name(comment, names),
        "author_kind": comment.author_kind,
        "run_id": comment.run_id,
        "created_at": comment.created_at,
    }


def revision_payload(revision: TaskRevision, names: Names) -> dict[str, Any]:
    return {
        "number": revision.number,
        "snapshot": revision.snapshot,
        "author": author_name(revision, names),
        "author_kind": revision.author_kind,
        "run_id": revision.run_id,
        "summary": revision.summary,
        "restored_from": revision.restored_from,
        "created_at": revision.created_at,
    }


def attempt_payload(attempt: Attempt, names: Names) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "agent": names.get(attempt.agent_id, "An agent"),
        "run_id": attempt.run_id,
        "revision": attempt.revision,
        "outcome": attempt.outcome,
        "summary": attempt.summary,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
    }


def goal_payload(goal: Goal, progress: queries.Progress, names: Names) -> dict[str, Any]:
    return {
        "id": goal.pk,
        "title": goal.title,
        "description": goal.description,
        "status": goal.status,
        "priority": Priority(goal.priority).label,
        "due_on": goal.due_on,
        "authority": goal.authority,
        "notes": goal.notes,
        "parent_id": goal.parent_id,
        "owner": _holder(goal.owner_user, None, names),
        "proposed_by": names.get(goal.agent_id or 0) if goal.agent_id else None,
        "audience": goal.audience,
        "tasks_done": progress.done,
        "tasks_total": progress.total,
        "revision": goal.revision,
        "created_at": goal.created_at,
        "updated_at": goal.updated_at,
        "closed_at": goal.closed_at,
    }
