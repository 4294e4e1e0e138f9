"""What the forms of a task ask for, handed to its services."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from accounts.actor import Actor
from accounts.errors import InvalidInput
from spacebot_site.web.board_words import STATES, holder_of, holder_value
from spacebot_site.web.forms import number
from tasks.authors import by_person
from tasks.models import Priority, Task, TaskState
from tasks.services import board, comments, moves, starting
from tasks.snapshots import needs_of


def act(actor: Actor, task_number: int, form: QueryDict) -> str:
    """Do what a form asks for and return it in words. Raises what the services refuse."""
    author, wanted = by_person(actor), form.get("act")
    revision = number(form.get("revision")) or None
    if wanted == "move":
        to = form.get("state", "")
        task = moves.move_task(
            author, task_number, to, expected_revision=revision, reason=form.get("reason", "")
        )
        return _noted(task) or f"#{task_number} is in “{STATES[TaskState(to)]}” now."
    if wanted == "approve":
        task = moves.approve_task(
            actor,
            task_number,
            expected_revision=_needed(revision),
            to=form.get("state") or TaskState.READY,
            note=form.get("note", ""),
        )
        return _noted(task) or f"#{task_number} is approved."
    if wanted == "reject":
        moves.reject_task(actor, task_number, expected_revision=_needed(revision), note=form.get("note", ""))
        return f"#{task_number} is rejected and off the board."
    if wanted == "start":
        starting.start_task(actor, task_number, expected_revision=revision)
        return f"A worker begins with #{task_number}."
    if wanted == "stop":
        starting.stop_task(actor, task_number, reason=form.get("reason", ""))
        return "The worker is being stopped."
    if wanted == "comment":
        comments.add_comment(author, task_number, form.get("text", ""))
        return "Said."
    if wanted == "edit":
        board.edit_task(author, task_number, expected_revision=_needed(revision), **_changes(form))
        return "Saved."
    if wanted == "assign":
        board.edit_task(author, task_number, assignee=holder_of(form.get("assignee", "")))
        return "Assigned."
    if wanted == "tick":
        return _tick(actor, task_number, form)
    if wanted == "restore":
        board.restore_revision(
            author, task_number, number(form.get("restore")), expected_revision=_needed(revision)
        )
        return "The earlier words are back, as a new revision."
    if wanted == "archive":
        moves.archive_task(actor, task_number)
        return f"#{task_number} is off the board."
    if wanted == "unarchive":
        moves.unarchive_task(actor, task_number)
        return f"#{task_number} is on the board again."
    if wanted == "show":
        moves.show_to_everyone(actor, task_number)
        return "Everyone in the organization sees it now."
    raise InvalidInput("There is no such action.")


def _noted(task: Task) -> str:
    """Say that an approval was noted, where the rule wants more than one."""
    waits = task.state == TaskState.PENDING_APPROVAL
    return f"Noted. #{task.number} needs the approval of somebody else as well." if waits else ""


def _needed(revision: int | None) -> int:
    if revision is None:
        raise InvalidInput("The form does not say which revision you saw.")
    return revision


def _tick(actor: Actor, task_number: int, form: QueryDict) -> str:
    from tasks.queries.board import get_task

    task = get_task(actor, task_number)
    place = number(form.get("place"))
    if not 1 <= place <= len(task.subtasks):
        raise InvalidInput("There is no such subtask.")
    subtasks = [dict(item) for item in task.subtasks]
    subtasks[place - 1]["done"] = form.get("done") == "1"
    board.edit_task(
        by_person(actor),
        task_number,
        expected_revision=number(form.get("revision")) or None,
        subtasks=subtasks,
    )
    return "Noted."


def as_form(task: Task) -> dict[str, Any]:
    """Return a task as the fields of its form say it."""
    return {
        "title": task.title,
        "description": task.description,
        "subtasks": "\n".join(f"{'[x] ' if item['done'] else ''}{item['title']}" for item in task.subtasks),
        "priority": Priority(task.priority).label,
        "goal": str(task.goal_id or ""),
        "owner": holder_value(task.owner_user_id, task.owner_agent_id),
        "assignee": holder_value(task.assignee_user_id, task.assignee_agent_id),
        "skills": ", ".join(task.skills),
        "workspace": task.workspace,
        "worker_type": task.worker_type,
        "needs": ", ".join(f"#{number}" for number in needs_of([task.pk]).get(task.pk, [])),
    }


def _changes(form: QueryDict) -> dict[str, Any]:
    """Return the fields that a form holds, as services take them."""
    sent = {name: str(form[name]) for name in form}
    found: dict[str, Any] = {
        name: sent[name]
        for name in ("title", "description", "priority", "workspace", "worker_type")
        if name in sent
    }
    if "subtasks" in sent:
        found["subtasks"] = [_subtask(line) for line in sent["subtasks"].splitlines() if line.strip()]
    if "skills" in sent:
        found["skills"] = [part for part in sent["skills"].split(",") if part.strip()]
    if "goal" in sent:
        found["goal_id"] = number(sent["goal"]) or None
    for name in ("owner", "assignee"):
        if name in sent:
            found[name] = holder_of(sent[name])
    if "needs" in sent:
        found["needs"] = _numbers(sent["needs"])
    return found


def _subtask(line: str) -> dict[str, Any]:
    text = line.strip()
    done = text.lower().startswith("[x]")
    return {"title": text[3:] if done else text.removeprefix("[ ]"), "done": done}


def _numbers(text: str) -> list[int]:
    parts = text.replace(",", " ").replace("#", " ").split()
    found = [number(part) for part in parts]
    if 0 in found:
        raise InvalidInput("Name tasks by their numbers, such as #12, #15.", field="needs")
    return found
