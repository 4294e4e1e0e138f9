"""Writing tasks: new ones, changes, and going back to an earlier revision.

An approval is for what was read. So whatever software writes waits for approval, and a change by software of what would
run sends an approved task back to wait. Whoever writes what will run lends it their authority, and nobody else's.
"""

from __future__ import annotations

from typing import Any

from accounts.errors import Conflict, Forbidden, InvalidInput
from messaging.queries import can_read_conversation
from realtime.services import record, unit_of_work
from tasks.authors import Author
from tasks.fields import BINDING, clean, columns
from tasks.models import Audience, AuthorKind, Happening, Task, TaskState, Workspace
from tasks.queries import board as queries
from tasks.services.changes import (
    add_revision,
    check_on_board,
    lock_graph,
    lock_task,
    next_number,
    task_changed,
    wake_those_of,
    write,
)
from tasks.services.dependencies import set_needs
from tasks.snapshots import Holder
from tasks.transitions import Who, capacities

FIRST_STATES = (TaskState.BACKLOG, TaskState.READY)
MOST_PROPOSED = 100
EDITORS = frozenset({Who.MODERATOR, Who.REQUESTER, Who.ASSIGNEE})


def create_task(
    author: Author, *, state: str = TaskState.BACKLOG, conversation_id: int | None = None, **values: Any
) -> Task:
    """Put a task on the board. What no person writes lands in `pending_approval`, whatever `state` says.

    What an agent's run writes is seen by those in its conversation until a person shows it to everyone.
    Raises InvalidInput.
    """
    if author.is_person:
        if state not in FIRST_STATES:
            raise InvalidInput("A new task is in the backlog or ready.", field="state")
        if conversation_id is not None and not can_read_conversation(author.user_id or 0, conversation_id):
            raise InvalidInput("There is no such conversation.", field="conversation_id")
    else:
        state, conversation_id = TaskState.PENDING_APPROVAL, author.conversation_id
    values.setdefault("title", "")
    values.setdefault("owner", _first_owner(author))
    values.setdefault("workspace", Workspace.CONVERSATION if conversation_id else Workspace.TASK)
    cleaned = clean(author, values)
    with unit_of_work():
        if not author.is_person:
            _check_room(author)
        if cleaned.get("needs"):
            lock_graph(author.organization_id)
        task = Task.objects.create(
            **columns(cleaned),
            organization_id=author.organization_id,
            number=next_number(author.organization_id),
            state=state,
            audience=Audience.CONVERSATION if conversation_id else Audience.ORGANIZATION,
            conversation_id=conversation_id,
            requester_user_id=author.user_id,
            requester_person_id=author.person_id,
            created_by_kind=author.kind,
            created_by_user_id=author.user_id if author.actor else None,
            created_by_agent_id=author.agent_id,
            created_by_run_id=author.run_id,
        )
        if cleaned.get("needs"):
            set_needs(author, task, cleaned["needs"])
        add_revision(task, author)
        record(task.organization_id, task_changed(task))
        if task.state == TaskState.READY:
            wake_those_of(task, Happening.TASK_APPROVED)
    return task


def edit_task(
    author: Author,
    number: int,
    *,
    expected_revision: int | None = None,
    summary: str = "",
    restored_from: int | None = None,
    **changes: Any,
) -> Task:
    """Change what a task says; without a difference nothing is written.

    Raises Stale when somebody wrote since `expected_revision`, Conflict while a worker is on it or, for software, once
    it is done, Forbidden for those who neither asked for it nor are to do it and are no moderators.
    """
    cleaned = clean(author, changes)
    with unit_of_work():
        if "needs" in cleaned:
            lock_graph(author.organization_id)
        task = lock_task(author, number, expected_revision=expected_revision)
        check_on_board(task)
        check_editor(author, task)
        changed = {name for name, value in columns(cleaned).items() if getattr(task, name) != value}
        binding = _binds(changed)
        if binding or "needs" in cleaned:
            _check_not_running(task)
        if "needs" in cleaned and set_needs(author, task, cleaned["needs"]):
            binding = True
        elif not changed:
            return task
        values = {name: value for name, value in columns(cleaned).items() if name in changed}
        if binding:
            values |= _consequences(author, task)
        return write(task, author, values, summary=summary, restored_from=restored_from)


def restore_revision(author: Author, number: int, revision: int, *, expected_revision: int) -> Task:
    """Write an earlier revision's words once more, as the newest. The state stays: only moves change it."""
    kept = queries.get_revision(author, number, revision).snapshot
    changes = {field: kept[field] for field in kept if field not in ("state", "blocked_reason")}
    for field in ("owner", "assignee"):
        changes[field] = Holder(*kept[field]) if kept[field] else None
    return edit_task(
        author,
        number,
        expected_revision=expected_revision,
        summary=f"Back to revision {revision}",
        restored_from=revision,
        **changes,
    )


def check_editor(author: Author, task: Task) -> None:
    """Raise Forbidden unless the author may write this task's words."""
    if author.is_person:
        if not capacities(author, task) & EDITORS and task.owner_user_id != author.user_id:
            raise Forbidden(
                "Moderators change this task, and those who asked for it, own it or are to do it. You can comment."
            )
        return
    mine = author.agent_id is not None and author.agent_id in (
        task.created_by_agent_id, task.owner_agent_id, task.assignee_agent_id,
    )  # fmt: skip
    if not mine and not (author.actor and task.created_by_user_id == author.user_id):
        raise Forbidden(
            "Agents change only tasks that they proposed, own or are to do. A comment is possible."
        )
    if task.state == TaskState.DONE:
        raise Conflict(f"Task #{task.number} is done. Propose a new one, or comment.")


def _consequences(author: Author, task: Task) -> dict[str, Any]:
    """Return what a change of what would run entails: the writer's authority, and for software a new approval."""
    values: dict[str, Any] = {
        "requester_user_id": author.user_id,
        "requester_person_id": author.person_id,
    }
    if not author.is_person and task.state != TaskState.PENDING_APPROVAL:
        values |= {
            "state": TaskState.PENDING_APPROVAL,
            "decision": "",
            "decided_by_id": None,
            "decided_at": None,
            "decision_note": "",
        }
    return values


def _check_not_running(task: Task) -> None:
    if task.attempts.filter(ended_at=None).exists():
        raise Conflict(
            f"A worker is on task #{task.number}. Comment, which it reads at its next step, or stop it first."
        )


def _binds(columns_changed: set[str]) -> bool:
    fields = {
        name.removesuffix("_user_id").removesuffix("_agent_id") if name.startswith("assignee") else name
        for name in columns_changed
    }
    return bool(fields & BINDING)


def _check_room(author: Author) -> None:
    """Keep software from burying people under proposals."""
    waiting = Task.objects.filter(
        organization_id=author.organization_id,
        created_by_agent_id=author.agent_id,
        state=TaskState.PENDING_APPROVAL,
        archived_at=None,
    ).exclude(created_by_kind=AuthorKind.PERSON)
    if waiting.count() >= MOST_PROPOSED:
        raise Conflict(f"{MOST_PROPOSED} proposals wait for approval already. People decide those first.")


def _first_owner(author: Author) -> Holder | None:
    if author.is_person:
        return Holder("person", author.user_id or 0)
    return Holder("agent", author.agent_id) if author.agent_id is not None else None
