"""Tasks as pages show them: words for states and fields, and what a card needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.actor import Actor
from accounts.models import User
from accounts.queries import list_members
from tasks.agents import workforce
from tasks.authors import by_person
from tasks.models import Attempt, Priority, Task, TaskState
from tasks.payloads import created_by, decidable_tasks
from tasks.queries import board as queries
from tasks.snapshots import Difference, Holder
from tasks.transitions import moves_for

STATES = {
    TaskState.PENDING_APPROVAL: "To approve",
    TaskState.BACKLOG: "Backlog",
    TaskState.READY: "Ready",
    TaskState.IN_PROGRESS: "In progress",
    TaskState.BLOCKED: "Blocked",
    TaskState.DONE: "Done",
    TaskState.FAILED: "Failed",
}
PRIORITIES = [(each.label, str(each.label).capitalize()) for each in Priority]
FIELDS = {
    "title": "Title", "description": "Description", "subtasks": "Subtasks", "metadata": "Metadata",
    "priority": "Priority", "goal_id": "Goal", "state": "State", "blocked_reason": "Why it is blocked",
    "owner": "Owner", "assignee": "Assigned to", "worker_type": "Worker", "skills": "Skills", "workspace": "Files",
    "needs": "Waits for",
}  # fmt: skip
OUTCOMES = {
    "": "Under way", "succeeded": "Done", "partial": "Partly done", "failed": "Failed", "cancelled": "Stopped",
    "timed_out": "Out of time", "interrupted": "Interrupted",
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """A task with what this reader may do to it. `moves` are pairs of state and words."""

    task: Task
    state_words: str
    priority: str
    assignee: str
    assignee_kind: str
    author: str
    blocked_by: list[int]
    running: Attempt | None
    subtasks_done: int
    moves: list[tuple[str, str]]
    may_decide: bool
    may_start: bool

    @property
    def move_names(self) -> str:
        return " ".join(state for state, _ in self.moves)


def cards(actor: Actor, tasks: Sequence[Task]) -> list[Card]:
    """Return what is shown of each task; one query on rows of `readable_tasks`, where some wait for a decision."""
    names = workforce().names(actor.organization.pk) if tasks else {}
    decides = decidable_tasks(actor, tasks)
    return [card(actor, task, names, decides=task.pk in decides) for task in tasks]


def card(actor: Actor, task: Task, names: Mapping[int, str], *, decides: bool) -> Card:
    author, running, blocked_by = by_person(actor), queries.open_attempt(task), queries.blocked_by(task)
    by_agent = task.assignee_agent_id is not None
    moves = [] if running or task.archived_at else moves_for(author, task, decides=decides)
    may_start = by_agent and not blocked_by and TaskState.IN_PROGRESS in moves
    if task.state == TaskState.READY and (by_agent or blocked_by) and not may_start:
        moves = [state for state in moves if state != TaskState.IN_PROGRESS]
    return Card(
        task=task,
        state_words=STATES[TaskState(task.state)],
        priority=str(Priority(task.priority).label),
        assignee=holder_name(task.assignee_user, task.assignee_agent_id, names),
        assignee_kind="agent" if by_agent else "person" if task.assignee_user_id else "",
        author=created_by(task, names),
        blocked_by=[each.number for each in blocked_by],
        running=running,
        subtasks_done=sum(1 for item in task.subtasks if item.get("done")),
        moves=[(state, STATES[TaskState(state)]) for state in moves],
        may_decide=decides,
        may_start=may_start,
    )


def holder_name(user: User | None, agent_id: int | None, names: Mapping[int, str]) -> str:
    if user is not None:
        return str(user)
    return names.get(agent_id, "An agent") if agent_id is not None else ""


def holder_choices(actor: Actor) -> list[tuple[str, str]]:
    """Return who can own or do a task, as the fields of forms name them."""
    people = [
        (f"person:{each.user_id}", str(each.user)) for each in list_members(actor) if each.role != "agent"
    ]
    agents = sorted(workforce().names(actor.organization.pk).items(), key=lambda each: each[1])
    return [*((f"agent:{pk}", name) for pk, name in agents), *people]


def holder_value(user_id: int | None, agent_id: int | None) -> str:
    if user_id is not None:
        return f"person:{user_id}"
    return f"agent:{agent_id}" if agent_id is not None else ""


def difference_rows(actor: Actor, found: list[Difference]) -> list[dict[str, Any]]:
    """Return differences in words."""
    words = _Words(actor)
    return [
        {
            "field": FIELDS.get(each.field, each.field),
            "before": words.say(each.field, each.before),
            "after": words.say(each.field, each.after),
            "lines": [(line[:1], line[1:]) for line in each.lines if not line.startswith("@@")],
        }
        for each in found
    ]


class _Words:
    """Says values of snapshots to people."""

    def __init__(self, actor: Actor) -> None:
        self.names = dict(holder_choices(actor))
        self.goals = {goal.pk: goal.title for goal in queries.goal_choices(by_person(actor))}

    def say(self, field: str, value: Any) -> str:
        if value in (None, "", [], {}):
            return "nothing"
        if field == "state":
            return STATES[TaskState(value)]
        if field in ("owner", "assignee"):
            return self.names.get(f"{value[0]}:{value[1]}", f"a former {value[0]}")
        if field == "goal_id":
            return self.goals.get(value, f"goal {value}")
        if field == "subtasks":
            return "; ".join(f"{'✓ ' if item['done'] else ''}{item['title']}" for item in value)
        if field == "needs":
            return ", ".join(f"#{number}" for number in value)
        if field == "skills":
            return ", ".join(value)
        return str(value)


def holder_of(text: str) -> Holder | None:
    """Return whom a form's field names; None for nobody."""
    kind, _, number = text.partition(":")
    if kind not in ("person", "agent") or not (number.isascii() and number.isdecimal() and len(number) < 18):
        return None
    return Holder("person" if kind == "person" else "agent", int(number))
