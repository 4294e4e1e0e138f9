"""Goals and tasks. Task 7 came out of the conversation, so only those in it see it; task 8 waits, and everyone sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.models import Attempt, Goal, Task, TaskComment
from tests.matrix.table.rules import (
    HIDDEN,
    MODERATOR,
    SEEN,
    Act,
    Operation,
    Page,
    Rows,
    form,
    list_of,
    nothing,
    ours,
    read,
    taking_part,
)
from tests.matrix.world import World

TASK = "/tasks/{task_number}"
GOAL = "/goals/{goal_id}"
PAGE = "tasks/<int:task_number>/"


def waiting(world: World, **body: Any) -> dict[str, Any]:
    """Let the task wait for approval, and return a body for the decision."""
    Task.objects.filter(number=world.values["task_number"], organization=world.acme.organization).update(
        state="pending_approval"
    )
    return {"expected_revision": 1, **body}


def in_state(state: str, **fields: Any) -> Callable[[World], dict[str, Any]]:
    """Return a form that is sent while the task is in this state."""

    def fill(world: World) -> dict[str, Any]:
        rows = Task.objects.filter(organization=world.acme.organization, number=world.values["task_number"])
        rows.update(state=state)
        return {"revision": 1, **fields}

    return fill


def off_the_board(world: World) -> dict[str, Any]:
    from django.utils import timezone

    rows = Task.objects.filter(organization=world.acme.organization, number=world.values["task_number"])
    rows.update(archived_at=timezone.now())
    return {"act": "unarchive"}


def running(world: World) -> dict[str, Any]:
    """Let the conversation's failed run stand for a worker that is on the task."""
    task = Task.objects.get(organization=world.acme.organization, number=world.values["task_number"])
    Task.objects.filter(pk=task.pk).update(state="in_progress")
    Attempt.objects.create(
        organization=world.acme.organization, task=task, number=1, agent_id=1, revision=1,
        run_id=world.values["run_id"],
    )  # fmt: skip
    return {"act": "stop"}


API: dict[str, Operation] = {
    "GET /tasks": list_of("tasks:read"),
    "POST /tasks": Operation("tasks:write", 201, stranger=201, body=lambda world: {"title": "New"}),
    f"GET {TASK}": read("tasks:read", participants=True),
    f"PATCH {TASK}": taking_part("tasks:write", 200, lambda world: {"title": "Changed"}),
    f"POST {TASK}/move": taking_part("tasks:write", 200, lambda world: {"state": "backlog"}),
    f"POST {TASK}/approve": taking_part("tasks:approve", 200, waiting),
    f"POST {TASK}/reject": taking_part("tasks:approve", 200, waiting),
    f"POST {TASK}/start": taking_part("tasks:write", 200, nothing),
    f"POST {TASK}/stop": taking_part("tasks:write", 200, lambda world: {"reason": running(world)["act"]}),
    f"POST {TASK}/archive": taking_part("tasks:write", 200),
    f"POST {TASK}/unarchive": taking_part("tasks:write", 200),
    f"POST {TASK}/show": taking_part("tasks:write", 200),
    f"GET {TASK}/comments": read("tasks:read", participants=True),
    f"POST {TASK}/comments": taking_part("tasks:write", 201, lambda world: {"text": "hello"}),
    f"GET {TASK}/revisions": read("tasks:read", participants=True),
    f"GET {TASK}/revisions/{{revision}}": read("tasks:read", participants=True),
    f"POST {TASK}/revisions/{{revision}}/restore": taking_part(
        "tasks:write", 200, lambda world: {"expected_revision": 1}
    ),
    f"GET {TASK}/diff": Operation("tasks:read", participants=True, query="?before=1"),
    f"GET {TASK}/dependencies": read("tasks:read", participants=True),
    f"PUT {TASK}/dependencies": taking_part("tasks:write", 200, lambda world: {"needs": [8]}),
    f"GET {TASK}/attempts": read("tasks:read", participants=True),
    "GET /goals": list_of("goals:read"),
    "POST /goals": Operation("goals:write", 201, stranger=201, body=lambda world: {"title": "New"}),
    f"GET {GOAL}": read("goals:read"),
    f"PATCH {GOAL}": Operation("goals:write", 200, MODERATOR, body=lambda world: {"title": "Changed"}),
    f"POST {GOAL}/status": Operation("goals:write", 200, MODERATOR, body=lambda world: {"status": "paused"}),
}

PAGES: dict[str, Page] = {
    "board/": Page(),
    "tasks/new/": Page(acts=True),
    PAGE: Page(participants=True, acts=True),
    "goals/": Page(),
    "goals/new/": Page(acts=True),
    "goals/<int:goal_id>/": Page(ours=True, acts=True),
}


def _task(**wanted: Any) -> Callable[[World], bool]:
    return ours(Task, number="{task_number}", **wanted)


ACTS: list[Act] = [
    Act("tasks/new/", "create", form(title="Fresh"), ours(Task, title="Fresh")),
    Act(PAGE, "edit", form(act="edit", revision=1, title="Edited"), _task(title="Edited")),
    Act(PAGE, "move", form(act="move", state="backlog"), _task(state="backlog")),
    Act(PAGE, "approve", in_state("pending_approval", act="approve"), _task(state="ready")),
    Act(PAGE, "reject", in_state("pending_approval", act="reject"), _task(decision="rejected")),
    Act(PAGE, "start", form(act="start"), _task(state="in_progress")),
    Act(PAGE, "comment", form(act="comment", text="hello"), ours(TaskComment, text="hello")),
    Act(PAGE, "assign", form(act="assign", assignee=""), _task(assignee_agent_id=None)),
    Act(PAGE, "restore", form(act="restore", restore=1, revision=1), _task(title="before")),
    Act(PAGE, "archive", form(act="archive"), _task(archived_at__isnull=False)),
    Act(PAGE, "unarchive", off_the_board, _task(archived_at=None, revision=2)),
    Act(PAGE, "show", form(act="show"), _task(audience="organization")),
    Act("goals/new/", "create", form(title="Fresh"), ours(Goal, title="Fresh")),
    Act(
        "goals/<int:goal_id>/", "edit", form(act="edit", title="Edited"), ours(Goal, title="Edited"),
        lowest=MODERATOR,
    ),
    Act(
        "goals/<int:goal_id>/", "status", form(act="status", status="paused"), ours(Goal, status="paused"),
        lowest=MODERATOR,
    ),
]  # fmt: skip

ADMIN_ROWS: dict[str, Rows] = {
    "tasks.Attempt": SEEN,
    "tasks.Goal": SEEN,
    "tasks.Task": SEEN,
    "tasks.TaskComment": SEEN,
    "tasks.TaskCounter": HIDDEN,
    "tasks.TaskDependency": SEEN,
    "tasks.TaskRevision": SEEN,
}
