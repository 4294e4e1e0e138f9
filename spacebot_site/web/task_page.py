"""One task: what it says, how it is to be done, what came of it, and the talk about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from accounts.errors import AccountsError
from agents.queries import readable_runs
from messaging.markdown import render as markdown
from spacebot_site.web import task_forms
from spacebot_site.web.board_words import (
    OUTCOMES,
    PRIORITIES,
    card,
    difference_rows,
    holder_choices,
    holder_name,
    holder_value,
)
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import number
from tasks.agents import workforce
from tasks.authors import by_person
from tasks.errors import Stale
from tasks.models import Task, WorkerType, Workspace
from tasks.payloads import author_name, decidable_tasks
from tasks.queries import board as queries
from tasks.services.board import EDITORS
from tasks.snapshots import differences, snapshot
from tasks.transitions import capacities

REVISIONS = 30


@page()
def detail(request: HttpRequest, actor: Actor, task_number: int) -> HttpResponse:
    """Show a task, as a page or in the drawer, or do what one of its forms asks for."""
    task = queries.get_task(actor, task_number)
    if request.method == "POST":
        return _act(request, actor, task)
    if request.GET.get("part") == "edit":
        return _form(request, _edit_context(actor, task))
    if request.GET.get("part") == "diff":
        return render(request, "board/diff.html", _diff_context(request, actor, task))
    template = "board/drawer.html" if wants_fragment(request) else "board/task.html"
    return render(request, template, _context(actor, task))


def _act(request: HttpRequest, actor: Actor, task: Task) -> HttpResponse:
    try:
        done = task_forms.act(actor, task.number, request.POST)
    except Stale as error:
        if request.POST.get("act") == "edit":
            return _show_conflict(request, actor, task, error)
        messages.error(request, str(error))
    except AccountsError as error:
        if request.POST.get("act") == "edit":
            shown = {**_edit_context(actor, task), "problem": str(error), "values": request.POST}
            return _form(request, shown)
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    if request.POST.get("back") == "board":
        return redirect("board")
    return redirect("task", task_number=task.number)


def _show_conflict(request: HttpRequest, actor: Actor, task: Task, error: Stale) -> HttpResponse:
    """Show the form again with what was typed, and what others changed since; saving again is a decision then."""
    before = queries.get_revision(by_person(actor), task.number, error.expected).snapshot
    task = queries.get_task(actor, task.number)
    shown = {
        **_edit_context(actor, task),
        "problem": str(error),
        "values": request.POST,
        "changed": difference_rows(actor, differences(before, snapshot(task))),
        "mine": True,
    }
    return _form(request, shown)


def _form(request: HttpRequest, shown: dict[str, Any]) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "board/edit.html", shown)
    return render(request, "board/edit_page.html", shown)


def _edit_context(actor: Actor, task: Task) -> dict[str, Any]:
    return {
        "task": task,
        "holders": holder_choices(actor),
        "goals": queries.goal_choices(by_person(actor)),
        "priorities": PRIORITIES,
        "workspaces": Workspace.choices,
        "worker_types": WorkerType.choices,
        "values": task_forms.as_form(task),
        "problem": "",
    }


def _diff_context(request: HttpRequest, actor: Actor, task: Task) -> dict[str, Any]:
    author = by_person(actor)
    revision = queries.get_revision(author, task.number, number(request.GET.get("revision")))
    found = []
    if revision.number > 1:
        before = queries.get_revision(author, task.number, revision.number - 1).snapshot
        found = difference_rows(actor, differences(before, revision.snapshot))
    now = difference_rows(actor, differences(revision.snapshot, snapshot(task)))
    return {
        "task": task,
        "revision": revision,
        "changed": found,
        "since": now if revision.number != task.revision else [],
        "is_now": revision.number == task.revision,
    }


def _context(actor: Actor, task: Task) -> dict[str, Any]:
    author, names = by_person(actor), workforce().names(actor.organization.pk)
    attempts = list(task.attempts.all())
    shown_runs = set(
        readable_runs(actor).filter(pk__in=[each.run_id for each in attempts]).values_list("pk", flat=True)
    )
    comments = queries.list_comments(actor, task.number, limit=200)
    revisions = queries.list_revisions(actor, task.number, limit=REVISIONS)
    visible = queries.visible_titles(author, [each.needs_id for each in task.dependencies.all()])
    who = capacities(author, task)
    return {
        "card": card(actor, task, names, decides=task.pk in decidable_tasks(actor, [task])),
        "task": task,
        "description": markdown(task.description) if task.description else "",
        "owner": holder_name(task.owner_user, task.owner_agent_id, names),
        "needs": [(each.needs, visible.get(each.needs_id, "")) for each in task.dependencies.all()],
        "dependents": queries.list_dependents(actor, task),
        "attempts": [
            {
                "row": each,
                "agent": names.get(each.agent_id, "An agent"),
                "words": OUTCOMES[each.outcome],
                "shown": each.run_id in shown_runs,
            }
            for each in reversed(attempts)
        ],
        "comments": [
            {"row": each, "author": author_name(each, names), "html": markdown(each.text)}
            for each in comments
        ],
        "revisions": [{"row": each, "author": author_name(each, names)} for each in revisions],
        "may_edit": bool(who & EDITORS) or task.owner_user_id == actor.user.pk,
        "run_shown": task.created_by_run_id is not None
        and readable_runs(actor).filter(pk=task.created_by_run_id).exists(),
        "room": queries.shown_conversations(actor, {task.conversation_id or 0}),
        "holders": holder_choices(actor),
        "assignee_value": holder_value(task.assignee_user_id, task.assignee_agent_id),
    }
