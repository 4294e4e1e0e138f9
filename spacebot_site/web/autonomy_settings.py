"""What holds for all agents that work by themselves: the ceiling, a pause, the switch that stops everything."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from agents.autonomy import pausing, queries, settings
from spacebot_site.web.autonomy_words import dial, label_of, stop_shown
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt

HALT_SHOWN = timedelta(days=1)


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        _act(request, actor)
        return redirect("all_autonomy")
    rule = settings.get_rule(actor)
    halt = pausing.latest_halt(actor, None)
    shown = {
        "rule": rule,
        "dial": dial(rule.ceiling),
        "stop": stop_shown(halt if halt and halt.asked_at > timezone.now() - HALT_SHOWN else None),
        "workers": [
            (each, label_of(each.row.level), label_of(each.standing.level))
            for each in queries.list_workers(actor)
        ],
    }
    return render(request, "settings/autonomy.html", shown)


def _act(request: HttpRequest, actor: Actor) -> None:
    act, reason = request.POST.get("act"), request.POST.get("reason", "").strip()[:300]
    if act == "ceiling":
        attempt(
            request,
            lambda: settings.set_ceiling(actor, request.POST.get("ceiling", "")),
            "The ceiling is set.",
        )
    elif act == "pause":
        attempt(request, lambda: pausing.pause(actor, reason=reason), "All agents are paused.")
    elif act == "resume":
        attempt(request, lambda: pausing.resume(actor), "The agents go on.")
    elif act == "halt":
        attempt(
            request,
            lambda: pausing.halt(actor, reason=reason),
            "Everything is being stopped, and all are paused.",
        )
