"""What wakes an agent: making, changing, trying out and removing; what opens a webhook is shown once."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput, NotFound
from accounts.models import Role
from agents.api.wakes import wake_words
from agents.models import Agent
from agents.queries import find_agent_by_slug
from spacebot_site.web.autonomy_words import LEVELS, label_of
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, dialog
from tasks.models import Happening, Level, ScheduleKind, Wake, WakeTrigger
from tasks.queries.wakes import list_wakes
from tasks.services.schedules import editing
from tasks.services.schedules.fields import from_words, to_words
from tasks.services.wakes import definitions, trying
from tasks.services.wakes.clock import timing_of

ICONS = {WakeTrigger.SCHEDULE: "calendar-clock", WakeTrigger.WEBHOOK: "webhook", WakeTrigger.EVENT: "bell"}
PLAIN = ("name", "instructions", "minimum_level", "happening")


def wake_rows(actor: Actor, agent_id: int) -> list[dict[str, Any]]:
    """Return each wake with how it is shown."""
    return [
        {
            "wake": wake,
            "icon": ICONS[WakeTrigger(wake.trigger)],
            "words": wake_words(wake),
            "level": label_of(wake.minimum_level),
        }
        for wake in list_wakes(actor, agent_id)
    ]


def _agent(actor: Actor, slug: str) -> Agent:
    agent = find_agent_by_slug(actor, slug)
    if agent is None:
        raise NotFound("There is no such agent.")
    return agent


@never_cache
@page(level=Role.ADMIN)
def new(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    agent = _agent(actor, slug)
    trigger = request.POST.get("trigger") or request.GET.get("trigger", "")
    trigger = trigger if trigger in WakeTrigger.values else WakeTrigger.WEBHOOK
    if request.method != "POST":
        return _form(request, agent, trigger, _defaults(actor), "")
    try:
        values = {"name": "", **_sent(request, actor, trigger)}
        wake, found = definitions.create_wake(actor, agent.pk, trigger=trigger, **values)
    except AccountsError as error:
        return _form(request, agent, trigger, request.POST, str(error))
    if found is not None:
        return _secrets(request, agent, wake, found)
    messages.success(request, f"“{wake.name}” wakes {agent.name} from now on.")
    return redirect("autonomy", slug=agent.slug)


@never_cache
@page(level=Role.ADMIN)
def one(request: HttpRequest, actor: Actor, slug: str, wake_id: int) -> HttpResponse:
    agent = _agent(actor, slug)
    wake = definitions.get_wake(actor, wake_id)
    if wake.agent_id != agent.pk:
        raise NotFound("There is no such wake.")
    act = request.POST.get("act")
    if request.method != "POST":
        return _form(request, agent, wake.trigger, _values(wake), "", wake)
    if act == "save":
        try:
            definitions.change_wake(actor, wake.pk, **_sent(request, actor, wake.trigger))
        except AccountsError as error:
            return _form(
                request, agent, wake.trigger, {**_values(wake), **request.POST.dict()}, str(error), wake
            )
        messages.success(request, "Saved.")
    elif act == "token":
        try:
            return _secrets(request, agent, *definitions.renew_token(actor, wake.pk))
        except AccountsError as error:
            messages.error(request, str(error))
    else:
        _act(request, actor, wake, act)
    return redirect("autonomy", slug=agent.slug)


def _act(request: HttpRequest, actor: Actor, wake: Wake, act: str | None) -> None:
    if act == "switch":
        done = "Switched off." if wake.enabled else "Switched on."
        attempt(request, lambda: definitions.change_wake(actor, wake.pk, enabled=not wake.enabled), done)
    elif act == "delete":
        attempt(request, lambda: definitions.delete_wake(actor, wake.pk), "Removed.")
    elif act == "fire":
        payload = _payload(request.POST.get("payload", ""))
        attempt(request, lambda: trying.try_out(actor, wake.pk, payload), f"“{wake.name}” has fired.")


def _payload(text: str) -> Any:
    """Return JSON as what it is, and anything else as text; nothing as a mark that it was tried."""
    if not text.strip():
        return {"tried": True}
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return {"text": text}


def _sent(request: HttpRequest, actor: Actor, trigger: str) -> dict[str, Any]:
    """Return what the form gave, as the service wants it. Raises InvalidInput."""
    form = request.POST
    values: dict[str, Any] = {name: form[name] for name in PLAIN if name in form}
    if trigger == WakeTrigger.SCHEDULE and "when" in form:
        values |= _times(actor, form["when"].strip()[:200], form.get("time_zone", "").strip()[:64])
    if trigger == WakeTrigger.WEBHOOK and "signed_shown" in form:
        values["signed"] = form.get("signed") == "on"
    return values


def _times(actor: Actor, when: str, time_zone: str) -> dict[str, Any]:
    if not when:
        raise InvalidInput("Say when.", field="when")
    timing = editing.preview(actor, from_words(when, time_zone=time_zone))
    if timing.kind == ScheduleKind.ONCE:
        raise InvalidInput("A wake comes again and again; for once, make a schedule.", field="when")
    return {
        "expression": timing.expression or "",
        "interval_s": timing.interval_s,
        "time_zone": timing.time_zone,
    }


def _defaults(actor: Actor) -> dict[str, str]:
    return {"time_zone": actor.organization.time_zone, "minimum_level": Level.OBSERVE}


def _values(wake: Wake) -> dict[str, str]:
    when = to_words(timing_of(wake)) if wake.trigger == WakeTrigger.SCHEDULE else ""
    return {
        "name": wake.name,
        "instructions": wake.instructions,
        "minimum_level": wake.minimum_level,
        "happening": wake.happening,
        "when": when,
        "time_zone": wake.time_zone,
        "signed": "on" if wake.signed else "",
    }


def _form(
    request: HttpRequest, agent: Agent, trigger: str, values: Any, problem: str, wake: Wake | None = None
) -> HttpResponse:
    shown = {
        "agent": agent,
        "wake": wake,
        "trigger": trigger,
        "triggers": [(each.value, each.label, ICONS[each]) for each in WakeTrigger],
        "values": values,
        "problem": problem,
        "happenings": Happening.choices,
        "levels": [(each.value, LEVELS[each][1]) for each in Level if each != Level.OFF],
    }
    title = wake.name if wake else "New wake"
    return dialog(request, "agents/wake_form.html", title, shown)


def _secrets(request: HttpRequest, agent: Agent, wake: Wake, found: definitions.Secrets) -> HttpResponse:
    address = f"{settings.PUBLIC_URL}{reverse('hook', args=[found.token])}"
    shown = {"agent": agent, "wake": wake, "address": address, "signing_key": found.signing_key}
    return render(request, "agents/wake_secrets.html", shown)
