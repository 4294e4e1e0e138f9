"""Which moves a task can make, and who may make each. Everything that is not in the table is refused.

Out of `pending_approval` leads the task's approval alone; the table says who decides it unless the organization has a
rule of its own. Nothing that software holds leads out of `pending_approval`, and nothing leads back into it but an agent's or a
stranger's change of what would run (see `services/board.py`).
"""

from __future__ import annotations

from enum import StrEnum

from accounts.errors import Conflict
from accounts.models import Role
from tasks.authors import Author
from tasks.errors import MoveRefused
from tasks.models import AuthorKind, Task, TaskState


class Who(StrEnum):
    """In what capacity somebody acts on a task."""

    MODERATOR = "moderator"
    """A person of at least this role."""
    REQUESTER = "requester"
    """The member with whose authority the task runs."""
    ASSIGNEE = "assignee"
    """The member who is to do it."""
    MEMBER = "member"
    AGENT = "agent"
    """A branch, by starting a worker or by saying that something waits."""
    WORKER = "worker"
    """The run bound to the task, by its end."""
    SYSTEM = "system"
    """The sweep that settles what a crash left."""


S, W = TaskState, Who
_DECIDERS = frozenset({W.MODERATOR, W.REQUESTER})
_PEOPLE = _DECIDERS | {W.ASSIGNEE}

TRANSITIONS: dict[tuple[TaskState, TaskState], frozenset[Who]] = {
    (S.PENDING_APPROVAL, S.BACKLOG): _DECIDERS,
    (S.PENDING_APPROVAL, S.READY): _DECIDERS,
    (S.BACKLOG, S.READY): _PEOPLE,
    (S.BACKLOG, S.BLOCKED): _PEOPLE,
    (S.BACKLOG, S.DONE): _PEOPLE,
    (S.READY, S.BACKLOG): _PEOPLE | {W.AGENT},
    (S.READY, S.IN_PROGRESS): _PEOPLE | {W.AGENT},
    (S.READY, S.BLOCKED): _PEOPLE | {W.AGENT},
    (S.READY, S.DONE): _PEOPLE,
    (S.IN_PROGRESS, S.BACKLOG): _PEOPLE,
    (S.IN_PROGRESS, S.READY): _PEOPLE | {W.WORKER, W.SYSTEM},
    (S.IN_PROGRESS, S.BLOCKED): _PEOPLE | {W.WORKER, W.SYSTEM},
    (S.IN_PROGRESS, S.DONE): _PEOPLE | {W.WORKER, W.SYSTEM},
    (S.IN_PROGRESS, S.FAILED): _PEOPLE | {W.WORKER, W.SYSTEM},
    (S.BLOCKED, S.BACKLOG): _PEOPLE,
    (S.BLOCKED, S.READY): _PEOPLE,
    (S.BLOCKED, S.DONE): _PEOPLE,
    (S.BLOCKED, S.FAILED): _PEOPLE,
    (S.DONE, S.BACKLOG): _PEOPLE,
    (S.DONE, S.READY): _PEOPLE,
    (S.FAILED, S.BACKLOG): _PEOPLE,
    (S.FAILED, S.READY): _PEOPLE,
}


def capacities(author: Author, task: Task) -> frozenset[Who]:
    """Return in what capacities the author acts on this task, by the role and the row as they are now."""
    if author.kind == AuthorKind.WORKER:
        return frozenset({W.WORKER})
    if author.kind == AuthorKind.SYSTEM:
        return frozenset({W.SYSTEM})
    if author.kind == AuthorKind.AGENT or author.actor is None:
        return frozenset({W.AGENT})
    found = {W.MEMBER}
    if author.actor.has_level(Role.MODERATOR):
        found.add(W.MODERATOR)
    if task.requester_user_id == author.user_id:
        found.add(W.REQUESTER)
    if task.assignee_user_id == author.user_id:
        found.add(W.ASSIGNEE)
    return frozenset(found)


def is_allowed(who: frozenset[Who], before: str, after: str) -> bool:
    return bool(TRANSITIONS.get((TaskState(before), TaskState(after)), frozenset()) & who)


def may_decide(who: frozenset[Who]) -> bool:
    """Say whether what such an author writes needs no approval of somebody else."""
    return bool(who & _DECIDERS)


def check_move(author: Author, task: Task, after: str) -> None:
    """Raise Conflict for a move that does not exist, MoveRefused for one that is not the author's to make."""
    before = TaskState(task.state)
    if (before, TaskState(after)) not in TRANSITIONS:
        raise Conflict(f"A task cannot go from {words(before)} to {words(after)}.")
    if not is_allowed(capacities(author, task), before, after):
        raise MoveRefused(
            "Whether this may be done is decided by moderators, or by the person with whose authority it runs."
            if before == S.PENDING_APPROVAL
            else "Moderators move this, and those who asked for it or are to do it."
        )


def moves_for(author: Author, task: Task, *, decides: bool) -> list[str]:
    """Return the states to which the author may move the task, in the order of the board.

    `decides` says whether its approval, where it waits for one, is theirs to give.
    """
    if task.state == S.PENDING_APPROVAL:
        return [S.BACKLOG.value, S.READY.value] if decides else []
    who = capacities(author, task)
    return [state.value for state in TaskState if state != task.state and is_allowed(who, task.state, state)]


def words(state: str) -> str:
    return state.replace("_", " ")
