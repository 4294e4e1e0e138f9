"""The board: a column a state, cards to move, filters; and a new task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError
from spacebot_site.web.board_words import PRIORITIES, STATES, cards, holder_choices, holder_of
from spacebot_site.web.door import page
from spacebot_site.web.forms import dialog, number
from tasks.authors import by_person
from tasks.models import Priority, TaskState
from tasks.queries import board as queries
from tasks.services.board import create_task
from tasks.snapshots import Holder

MOST = 60
FILTERS = ("q", "assignee", "goal", "priority")


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    asked = {name: request.GET.get(name, "").strip()[:200] for name in FILTERS}
    archived = "archived" in request.GET
    wanted = _wanted(actor, request.GET)
    counts = queries.count_by_state(actor, wanted)
    columns = []
    for state, words in STATES.items():
        newest = state in (TaskState.DONE, TaskState.FAILED)
        rows = queries.list_tasks(actor, replace(wanted, states=(state,)), newest_first=newest, limit=MOST)
        columns.append(
            {"state": state.value, "words": words, "cards": cards(actor, rows), "count": counts.get(state, 0)}
        )
    return render(
        request,
        "board/index.html",
        {
            "columns": columns,
            "total": sum(counts.values()),
            "most": MOST,
            "asked": asked,
            "archived": archived,
            "is_filtered": any(asked.values()) or archived,
            "holders": holder_choices(actor),
            "goals": queries.goal_choices(by_person(actor)),
            "priorities": PRIORITIES,
        },
    )


def _wanted(actor: Actor, asked: QueryDict) -> queries.TaskFilter:
    who = asked.get("assignee", "")
    return queries.TaskFilter(
        assignee=Holder("person", actor.user.pk) if who == "me" else holder_of(who),
        goal_id=number(asked.get("goal")) or None,
        priority=Priority.named(asked.get("priority", "")),
        search=asked.get("q", "").strip()[:200],
        archived="archived" in asked,
    )


@page()
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    problem, form = "", request.POST if request.method == "POST" else request.GET
    if request.method == "POST":
        try:
            task = create_task(by_person(actor), state=form.get("state", TaskState.BACKLOG), **_values(form))
        except AccountsError as error:
            problem = str(error)
        else:
            return redirect("task", task_number=task.number)
    shown: dict[str, Any] = {
        "values": form,
        "problem": problem,
        "holders": holder_choices(actor),
        "goals": queries.goal_choices(by_person(actor)),
        "priorities": PRIORITIES,
    }
    return dialog(request, "board/new_form.html", "New task", shown)


def _values(form: QueryDict) -> dict[str, Any]:
    return {
        "title": form.get("title", ""),
        "description": form.get("description", ""),
        "priority": form.get("priority") or "medium",
        "goal_id": number(form.get("goal")) or None,
        "assignee": holder_of(form.get("assignee", "")),
    }
