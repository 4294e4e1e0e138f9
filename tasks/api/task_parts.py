"""What belongs to a task, over HTTP: comments, revisions, dependencies, attempts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from tasks.agents import workforce
from tasks.api import shapes
from tasks.authors import by_person
from tasks.payloads import attempt_payload, comment_payload, revision_payload, task_payload
from tasks.queries import board as queries
from tasks.services import board, comments
from tasks.snapshots import differences, snapshot

router = Router(tags=["tasks"])
READ, WRITE = Needs("tasks:read"), Needs("tasks:write")
ONE = "/tasks/{task_number}"


@router.get(ONE + "/comments", response=Page[shapes.CommentOut], auth=READ)
def list_comments(
    request: HttpRequest, task_number: Id, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """List a task's comments, oldest first."""
    actor = actor_of(request)
    rows = queries.list_comments(actor, task_number, after=read_cursor(cursor), limit=limit + 1)
    names = workforce().names(actor.organization.pk)
    return page(rows, limit=limit, payload=lambda row: comment_payload(row, names), cursor=lambda row: row.pk)


@router.post(ONE + "/comments", response={201: shapes.CommentOut}, auth=WRITE)
def add_comment(request: HttpRequest, task_number: Id, body: shapes.CommentIn) -> Status[Any]:
    """Say something about a task. A worker that is on it reads it at its next step."""
    actor = actor_of(request)
    comment = comments.add_comment(by_person(actor), task_number, body.text)
    return Status(201, comment_payload(comment, workforce().names(actor.organization.pk)))


@router.get(ONE + "/revisions", response=Page[shapes.RevisionOut], auth=READ)
def list_revisions(
    request: HttpRequest, task_number: Id, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """List a task's revisions, newest first, each whole."""
    actor = actor_of(request)
    rows = queries.list_revisions(actor, task_number, before=read_cursor(cursor), limit=limit + 1)
    names = workforce().names(actor.organization.pk)
    return page(
        rows, limit=limit, payload=lambda row: revision_payload(row, names), cursor=lambda row: row.number
    )


@router.get(ONE + "/revisions/{revision}", response=shapes.RevisionOut, auth=READ)
def get_revision(request: HttpRequest, task_number: Id, revision: shapes.Revision) -> dict[str, Any]:
    actor = actor_of(request)
    found = queries.get_revision(by_person(actor), task_number, revision)
    return revision_payload(found, workforce().names(actor.organization.pk))


@router.get(ONE + "/diff", response=list[shapes.DifferenceOut], auth=READ)
def diff(
    request: HttpRequest,
    task_number: Id,
    before: shapes.Revision,
    after: shapes.Revision | None = None,
) -> list[dict[str, Any]]:
    """Tell what differs between two revisions, or between one and the task as it is now."""
    author = by_person(actor_of(request))
    old = queries.get_revision(author, task_number, before).snapshot
    new = (
        queries.get_revision(author, task_number, after).snapshot
        if after
        else snapshot(queries.find_task(author, task_number))
    )
    return [
        {"field": each.field, "before": each.before, "after": each.after, "lines": list(each.lines)}
        for each in differences(old, new)
    ]


@router.post(ONE + "/revisions/{revision}/restore", response=shapes.TaskOut, auth=WRITE)
def restore_revision(
    request: HttpRequest, task_number: Id, revision: shapes.Revision, body: shapes.RestoreIn
) -> dict[str, Any]:
    """Write an earlier revision's words once more, as the newest; the state stays."""
    actor = actor_of(request)
    task = board.restore_revision(
        by_person(actor), task_number, revision, expected_revision=body.expected_revision
    )
    return task_payload(actor, task)


@router.get(ONE + "/dependencies", response=shapes.DependenciesOut, auth=READ)
def get_dependencies(request: HttpRequest, task_number: Id) -> dict[str, Any]:
    actor = actor_of(request)
    task = queries.get_task(actor, task_number)
    return {
        "needs": [each.needs.number for each in task.dependencies.all()],
        "blocked_by": [each.number for each in queries.blocked_by(task)],
        "dependents": [each.number for each in queries.list_dependents(actor, task)],
    }


@router.put(ONE + "/dependencies", response=shapes.TaskOut, auth=WRITE)
def set_dependencies(request: HttpRequest, task_number: Id, body: shapes.NeedsIn) -> dict[str, Any]:
    """Replace what a task waits for. A circle is refused with 409."""
    actor = actor_of(request)
    task = board.edit_task(
        by_person(actor), task_number, expected_revision=body.expected_revision, needs=body.needs
    )
    return task_payload(actor, task)


@router.get(ONE + "/attempts", response=list[shapes.AttemptOut], auth=READ)
def list_attempts(request: HttpRequest, task_number: Id) -> list[dict[str, Any]]:
    """List the attempts at a task, oldest first."""
    actor = actor_of(request)
    names = workforce().names(actor.organization.pk)
    return [attempt_payload(each, names) for each in queries.get_task(actor, task_number).attempts.all()]
