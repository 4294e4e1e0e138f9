"""How far one agent goes by itself: the dial, why it is silent, its limits, what woke it and what it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import InvalidInput, NotFound
from accounts.models import Role
from agents.autonomy import pausing, queries, settings
from agents.autonomy.explaining import explain
from agents.autonomy.levels import lower
from agents.context.days import zone_for
from agents.models import Agent
from agents.queries import find_agent_by_slug
from spacebot_site.web.autonomy_words import QUEUE_BADGES, dial, label_of, state_line, stop_shown
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number
from spacebot_site.web.wakes import wake_rows
from tasks.models import Level, WakeState
from tasks.queries.wakes import list_queue

LOOKS = 15
CLOSED = 10
HALT_SHOWN = timedelta(days=1)
MINUTES = {"interval_min": "interval_s", "timeout_min": "timeout_s"}
NUMBERS = ("gap_s", "tasks_per_run", "tasks_per_day", "minutes_per_day", "run_history")


def agent_of(actor: Actor, slug: str) -> Agent:
    agent = find_agent_by_slug(actor, slug)
    if agent is None:
        raise NotFound("There is no such agent.")
    return agent


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    agent = agent_of(actor, slug)
    if request.method == "POST":
        _act(request, actor, agent)
        return redirect("autonomy", slug=agent.slug)
    row, rule = settings.get_autonomy(actor, agent.pk), settings.get_rule(actor)
    row.agent = agent
    before = number(request.GET.get("before"))
    looks = queries.list_looks(actor, agent.pk, before=before or None, limit=LOOKS + 1)
    halt = pausing.latest_halt(actor, agent.pk)
    shown = {
        "agent": agent,
        "tab": "autonomy",
        "may_edit": True,
        "row": row,
        "rule": rule,
        "ceiling": label_of(rule.ceiling),
        "is_above": Level(row.level).rank > Level(rule.ceiling).rank,
        "dial": dial(row.level, rule.ceiling),
        "zone": zone_for(agent.settings, agent.organization.time_zone),
        "line": state_line(explain(row, rule, lower(row.level, rule.ceiling))),
        "stop": stop_shown(halt if halt and halt.asked_at > timezone.now() - HALT_SHOWN else None),
        "bounds": {name: {"low": low, "high": high} for name, (low, high) in settings.BOUNDS.items()},
        "minutes": {each: f"{getattr(row, name) / 60:g}" for each, name in MINUTES.items()},
        "wakes": wake_rows(actor, agent.pk),
        "queue": [
            (event, *QUEUE_BADGES[WakeState(event.state)])
            for event in list_queue(actor, agent.pk, closed=CLOSED)
        ],
        "looks": [(look, label_of(look.level or "off")) for look in looks[:LOOKS]],
        "older": looks[LOOKS - 1].run.pk if len(looks) > LOOKS else None,
        "paged": bool(before),
    }
    return render(request, "agents/autonomy.html", shown)


def _act(request: HttpRequest, actor: Actor, agent: Agent) -> None:
    act, reason = request.POST.get("act"), request.POST.get("reason", "").strip()[:300]
    if act == "level":
        level = request.POST.get("level", "")
        done = "It works by itself no more." if level == Level.OFF else "The dial is set."
        attempt(request, lambda: settings.change_autonomy(actor, agent.pk, level=level), done)
    elif act == "limits":
        attempt(request, lambda: settings.change_autonomy(actor, agent.pk, **_limits(request)), "Saved.")
    elif act == "pause":
        attempt(request, lambda: pausing.pause(actor, agent.pk, reason=reason), f"{agent.name} is paused.")
    elif act == "resume":
        attempt(request, lambda: pausing.resume(actor, agent.pk), f"{agent.name} goes on.")
    elif act == "halt":
        done = f"Everything of {agent.name} is being stopped, and it is paused."
        attempt(request, lambda: pausing.halt(actor, agent.pk, reason=reason), done)


def _limits(request: HttpRequest) -> dict[str, Any]:
    form = request.POST
    return {
        **{name: minutes(form.get(each, ""), name) for each, name in MINUTES.items()},
        **{name: whole(form.get(name, ""), name) for name in NUMBERS},
        **{name: form.get(name, "").strip()[:20] for name in settings.HOURS},
        "claim_unowned": form.get("claim_unowned") == "on",
    }


def whole(text: str, field: str) -> int:
    """Read a whole number. Raises InvalidInput."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput("This is a whole number.", field=field)
    return int(text)


def minutes(text: str, field: str) -> int:
    """Read minutes as seconds. Raises InvalidInput."""
    try:
        return round(float(text) * 60)
    except (ValueError, OverflowError):
        raise InvalidInput("This is a number of minutes.", field=field) from None
