"""Schedules: what runs when, and why it did not."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from agents.queries import list_agents
from spacebot_site.web import conversation_list as listing
from spacebot_site.web.door import page
from spacebot_site.web.forms import number
from spacebot_site.web.schedule_parts import schedule_card
from tasks.models import Schedule, ScheduleState
from tasks.queries.schedules import (
    get_schedule,
    last_firings,
    list_firings,
    schedules_of,
)
from tasks.services.schedules import acts, deliveries, editing, ledger

LINES = 100
MOST = 300
ORDER = (ScheduleState.PROPOSED, ScheduleState.BROKEN, ScheduleState.ACTIVE, ScheduleState.PAUSED)


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    found = list(schedules_of(actor).order_by("-pk")[:MOST])
    last = last_firings(found)
    rows = [{**schedule_card(actor, each), "last": last.get(each.pk)} for each in found]
    places = {state: place for place, state in enumerate(ORDER)}
    rows.sort(key=lambda row: (places.get(row["schedule"].state, len(ORDER)), row["next"][:1] or [_far()]))
    return render(request, "schedules/index.html", {"rows": rows})


def _far() -> Any:
    return timezone.now().replace(year=9999)


@page()
def detail(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponse:
    """Show a schedule with its ledger, or do what a form asks for."""
    schedule = get_schedule(actor, schedule_id)
    if request.method == "POST":
        return _act(request, actor, schedule)
    ledger.account_for(schedule, now=timezone.now())
    found = list_firings(actor, schedule, before=number(request.GET.get("before")) or None, limit=LINES + 1)
    return render(
        request,
        "schedules/detail.html",
        {
            **schedule_card(actor, schedule),
            "firings": found[:LINES],
            "older": found[LINES - 1].pk if len(found) > LINES else None,
            "place": listing.title_of(
                schedule.conversation, {agent.pk: agent for agent in list_agents(actor)}
            ),
        },
    )


def _act(request: HttpRequest, actor: Actor, schedule: Schedule) -> HttpResponse:
    act, pk = request.POST.get("act", ""), schedule.pk
    try:
        done = _do(actor, pk, act, number(request.POST.get("firing")))
    except AccountsError as error:
        messages.error(request, str(error))
        return redirect("schedule", schedule_id=pk)
    messages.success(request, done)
    return redirect("schedules") if act == "delete" else redirect("schedule", schedule_id=pk)


def _do(actor: Actor, pk: int, act: str, firing_id: int) -> str:
    """Do what a form asks for and return it in words."""
    match act:
        case "confirm":
            if acts.confirm(actor, pk).state == ScheduleState.PROPOSED:
                return "Noted. It needs the approval of somebody else as well."
            return "Confirmed. It runs from now on."
        case "pause":
            acts.pause(actor, pk)
            return "Paused. Nothing fires until it is resumed."
        case "resume":
            acts.resume(actor, pk)
            return "Resumed."
        case "reset":
            acts.reset(actor, pk)
            return "Started again, with no failures counted."
        case "run":
            acts.run_now(actor, pk)
            return "It runs now."
        case "deliver":
            deliveries.deliver_again(actor, pk, firing_id)
            return "It is sent once more."
        case "delete":
            editing.delete_schedule(actor, pk)
            return "Removed."
    raise InvalidInput("There is no such action.")


@require_GET
@page()
def card(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponse:
    """Answer the card alone, as it stands in the chat."""
    return render(
        request, "schedules/card.html", {"card": schedule_card(actor, get_schedule(actor, schedule_id))}
    )
