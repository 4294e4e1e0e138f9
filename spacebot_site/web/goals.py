"""Goals: a list with progress, one goal with its tasks, and a new one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from accounts.models import Role
from messaging.markdown import render as markdown
from spacebot_site.web.board_words import PRIORITIES, cards, holder_choices
from spacebot_site.web.door import page
from spacebot_site.web.forms import dialog, number
from tasks.agents import workforce
from tasks.authors import by_person
from tasks.models import Authority, Goal, GoalStatus
from tasks.queries import board as queries
from tasks.queries.approvals import decidable_rows, list_approvals
from tasks.services import goals as services

MOST = 200
TABS = (
    ("", "Open", (GoalStatus.ACTIVE, GoalStatus.PAUSED, GoalStatus.PROPOSED)),
    ("proposed", "Proposed", (GoalStatus.PROPOSED,)),
    ("closed", "Closed", (GoalStatus.COMPLETED, GoalStatus.ABANDONED)),
)
NEXT = {
    GoalStatus.ACTIVE: "Activate",
    GoalStatus.PAUSED: "Pause",
    GoalStatus.COMPLETED: "Complete",
    GoalStatus.ABANDONED: "Abandon",
}


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    tab = request.GET.get("tab", "")
    statuses = next((chosen for name, _, chosen in TABS if name == tab), TABS[0][2])
    author = by_person(actor)
    found = queries.list_goals(author, statuses=tuple(statuses), limit=MOST)
    progress = queries.progress_of(author, [goal.pk for goal in found])
    names = workforce().names(actor.organization.pk)
    return render(
        request,
        "goals/index.html",
        {
            "rows": [
                {"goal": goal, "progress": progress[goal.pk], "by": names.get(goal.agent_id or 0, "")}
                for goal in found
            ],
            "tabs": [(name, words) for name, words, _ in TABS],
            "tab": tab,
        },
    )


@page()
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        try:
            goal = services.create_goal(by_person(actor), **_values(request.POST))
        except AccountsError as error:
            problem = str(error)
        else:
            return redirect("goal", goal_id=goal.pk)
    return dialog(request, "goals/form.html", "New goal", _form_context(actor, request.POST, problem))


@page()
def detail(request: HttpRequest, actor: Actor, goal_id: int) -> HttpResponse:
    goal = queries.get_goal(actor, goal_id)
    if request.method == "POST":
        return _act(request, actor, goal)
    if "edit" in request.GET:
        return dialog(request, "goals/form.html", "Change goal", _edit_context(actor, goal))
    author = by_person(actor)
    rows = queries.list_tasks(actor, queries.TaskFilter(goal_id=goal.pk), limit=MOST)
    return render(
        request,
        "goals/detail.html",
        {
            "goal": goal,
            "description": markdown(goal.description) if goal.description else "",
            "notes": markdown(goal.notes) if goal.notes else "",
            "progress": queries.progress_of(author, [goal.pk])[goal.pk],
            "cards": cards(actor, rows),
            "children": list(queries.readable_goals(author).filter(parent=goal).order_by("priority", "id")),
            "parent": queries.readable_goals(author).filter(pk=goal.parent_id or 0).first(),
            "by": workforce().names(actor.organization.pk).get(goal.agent_id or 0, ""),
            "asked": list(list_approvals(actor, state="open", goal_id=goal.pk, limit=20)),
            "may_edit": _may_edit(actor, goal),
            "next": _next(actor, goal),
        },
    )


def _act(request: HttpRequest, actor: Actor, goal: Goal) -> HttpResponse:
    form = request.POST
    revision = number(form.get("revision")) or None
    try:
        if form.get("act") == "status":
            services.set_goal_status(actor, goal.pk, form.get("status", ""), expected_revision=revision)
        elif form.get("act") == "edit":
            services.edit_goal(actor, goal.pk, expected_revision=revision, **_values(form))
        else:
            raise InvalidInput("There is no such action.")
    except AccountsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Saved.")
    return redirect("goal", goal_id=goal.pk)


def _values(form: QueryDict) -> dict[str, Any]:
    sent = {name: str(form[name]) for name in form}
    found: dict[str, Any] = {
        name: sent[name]
        for name in ("title", "description", "notes", "priority", "authority")
        if name in sent
    }
    if "due_on" in sent:
        found["due_on"] = sent["due_on"] or None
    if "parent" in sent:
        found["parent_id"] = number(sent["parent"]) or None
    if "owner" in sent:
        found["owner_id"] = number(sent["owner"].removeprefix("person:")) or None
    return found


def _edit_context(actor: Actor, goal: Goal) -> dict[str, Any]:
    values = {
        "title": goal.title,
        "description": goal.description,
        "notes": goal.notes,
        "priority": goal.get_priority_display(),
        "authority": goal.authority,
        "due_on": goal.due_on.isoformat() if goal.due_on else "",
        "parent": str(goal.parent_id or ""),
        "owner": f"person:{goal.owner_user_id or ''}",
    }
    return {**_form_context(actor, values, ""), "goal": goal}


def _form_context(actor: Actor, values: Any, problem: str) -> dict[str, Any]:
    return {
        "values": values,
        "problem": problem,
        "priorities": PRIORITIES,
        "authorities": Authority.choices,
        "parents": queries.goal_choices(by_person(actor)),
        "people": [each for each in holder_choices(actor) if each[0].startswith("person:")],
        "may_widen": actor.has_level(Role.MODERATOR),
    }


def _may_edit(actor: Actor, goal: Goal) -> bool:
    return actor.has_level(Role.MODERATOR) or goal.owner_user_id == actor.user.pk


def _next(actor: Actor, goal: Goal) -> list[tuple[str, str]]:
    """Return the statuses to which the actor may take the goal, with the words of the button."""
    decides = goal.status == GoalStatus.PROPOSED and bool(decidable_rows(actor, "goal", [goal.pk]))
    if not _may_edit(actor, goal) and not decides:
        return []
    found = []
    for status, words in NEXT.items():
        if status not in services.STATUSES[GoalStatus(goal.status)]:
            continue
        first = goal.status == GoalStatus.PROPOSED and status == GoalStatus.ACTIVE
        if first and not decides:
            continue
        reopens = goal.status in services.CLOSED
        found.append((status.value, "Reopen" if reopens else words))
    return found
