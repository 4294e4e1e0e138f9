"""Tasks over HTTP: list, write, move, decide, start."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.actor import Actor
from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from accounts.errors import InvalidInput
from tasks.api import shapes
from tasks.authors import by_person
from tasks.models import Priority, Task, TaskState
from tasks.payloads import task_payload, task_payloads
from tasks.queries import board as queries
from tasks.services import board, moves, starting
from tasks.snapshots import Holder

router = Router(tags=["tasks"])
READ, WRITE, APPROVE = Needs("tasks:read"), Needs("tasks:write"), Needs("tasks:approve")
ONE = "/tasks/{task_number}"


@router.get("/tasks", response=Page[shapes.TaskOut], auth=READ)
def list_tasks(
    request: HttpRequest,
    state: Annotated[list[TaskState], Query()] = [],  # noqa: B006  read, never changed
    assignee: str = "",
    owner: str = "",
    goal_id: Id | None = None,
    priority: shapes.PriorityWord | None = None,
    search: shapes.Search = "",
    archived: bool = False,
    sort: Literal["priority", "newest"] = "priority",
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """List the tasks you may see, the most urgent first. `assignee` and `owner` are `me`, `person:7` or `agent:3`."""
    actor = actor_of(request)
    wanted = queries.TaskFilter(
        states=tuple(state),
        assignee=read_holder(actor, assignee, "assignee"),
        owner=read_holder(actor, owner, "owner"),
        goal_id=goal_id,
        priority=Priority.named(priority) if priority else None,
        search=search,
        archived=archived,
    )
    newest = sort == "newest"
    rows = queries.list_tasks(actor, wanted, newest_first=newest, cursor=read_cursor(cursor), limit=limit + 1)
    shown = {task.pk: payload for task, payload in zip(rows, task_payloads(actor, rows), strict=True)}
    return page(
        rows,
        limit=limit,
        payload=lambda task: shown[task.pk],
        cursor=lambda task: queries.cursor_of(task, newest_first=newest),
    )


def read_holder(actor: Actor, text: str, field: str) -> Holder | None:
    """Return whom `me`, `person:7` or `agent:3` names; None for nothing. Raises InvalidInput."""
    kind, _, number = text.partition(":")
    if not text:
        return None
    if text == "me":
        return Holder("person", actor.user.pk)
    if kind in ("person", "agent") and number.isascii() and number.isdecimal() and len(number) < 18:
        return Holder("person" if kind == "person" else "agent", int(number))
    raise InvalidInput("Write me, person:7 or agent:3.", field=field)


@router.post("/tasks", response={201: shapes.TaskOut}, auth=WRITE)
def create_task(request: HttpRequest, body: shapes.TaskIn) -> Status[Any]:
    """Put a task on the board. What a member of the role agent writes waits for approval."""
    actor = actor_of(request)
    task = board.create_task(
        by_person(actor), state=body.state, conversation_id=body.conversation_id, **body.values()
    )
    return Status(201, _shown(actor, task))


@router.get(ONE, response=shapes.TaskOut, auth=READ)
def get_task(request: HttpRequest, task_number: Id) -> dict[str, Any]:
    actor = actor_of(request)
    return _shown(actor, queries.get_task(actor, task_number))


@router.patch(ONE, response=shapes.TaskOut, auth=WRITE)
def edit_task(request: HttpRequest, task_number: Id, body: shapes.TaskPatch) -> dict[str, Any]:
    """Change what is sent. With `expected_revision`, 409 tells both revisions when somebody wrote meanwhile."""
    actor = actor_of(request)
    task = board.edit_task(
        by_person(actor),
        task_number,
        expected_revision=body.expected_revision,
        summary=body.summary,
        **body.values(),
    )
    return _shown(actor, task)


@router.post(ONE + "/move", response=shapes.TaskOut, auth=WRITE)
def move_task(request: HttpRequest, task_number: Id, body: shapes.MoveIn) -> dict[str, Any]:
    """Move a task to another state. Out of `pending_approval` the token needs `tasks:approve` as well."""
    actor = actor_of(request)
    task = moves.move_task(
        by_person(actor),
        task_number,
        body.state,
        expected_revision=body.expected_revision,
        reason=body.reason,
    )
    return _shown(actor, task)


@router.post(ONE + "/approve", response=shapes.TaskOut, auth=APPROVE)
def approve_task(request: HttpRequest, task_number: Id, body: shapes.ApproveIn) -> dict[str, Any]:
    """Let a proposed task onto the board, as it reads at `expected_revision`."""
    actor = actor_of(request)
    task = moves.approve_task(
        actor, task_number, expected_revision=body.expected_revision, to=body.state, note=body.note
    )
    return _shown(actor, task)


@router.post(ONE + "/reject", response=shapes.TaskOut, auth=APPROVE)
def reject_task(request: HttpRequest, task_number: Id, body: shapes.RejectIn) -> dict[str, Any]:
    """Turn a proposed task down; it leaves the board with the reason."""
    actor = actor_of(request)
    task = moves.reject_task(actor, task_number, expected_revision=body.expected_revision, note=body.note)
    return _shown(actor, task)


@router.post(ONE + "/start", response=shapes.TaskOut, auth=WRITE)
def start_task(request: HttpRequest, task_number: Id, body: shapes.StartIn) -> dict[str, Any]:
    """Set the assigned agent to work on a ready task, under your authority."""
    actor = actor_of(request)
    return _shown(actor, starting.start_task(actor, task_number, expected_revision=body.expected_revision))


@router.post(ONE + "/stop", response=shapes.TaskOut, auth=WRITE)
def stop_task(request: HttpRequest, task_number: Id, body: shapes.StopIn) -> dict[str, Any]:
    """Ask the worker that is on the task to stop; the task waits as blocked then."""
    actor = actor_of(request)
    starting.stop_task(actor, task_number, reason=body.reason)
    return _shown(actor, queries.get_task(actor, task_number))


@router.post(ONE + "/archive", response=shapes.TaskOut, auth=WRITE)
def archive_task(request: HttpRequest, task_number: Id) -> dict[str, Any]:
    """Take a task off the board. Nothing is deleted."""
    actor = actor_of(request)
    return _shown(actor, moves.archive_task(actor, task_number))


@router.post(ONE + "/unarchive", response=shapes.TaskOut, auth=WRITE)
def unarchive_task(request: HttpRequest, task_number: Id) -> dict[str, Any]:
    """Put a task back on the board; a rejected one waits for approval again."""
    actor = actor_of(request)
    return _shown(actor, moves.unarchive_task(actor, task_number))


@router.post(ONE + "/show", response=shapes.TaskOut, auth=WRITE)
def show_to_everyone(request: HttpRequest, task_number: Id) -> dict[str, Any]:
    """Let everyone in the organization see a task that came out of one conversation."""
    actor = actor_of(request)
    return _shown(actor, moves.show_to_everyone(actor, task_number))


def _shown(actor: Actor, task: Task) -> dict[str, Any]:
    return task_payload(actor, task)
