"""Making and changing a schedule: one field says when, with its next times before one's eyes."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from agents.queries import list_agents
from messaging.queries import list_conversations
from spacebot_site.web import conversation_list as listing
from spacebot_site.web.door import page
from spacebot_site.web.forms import number
from tasks.models import Misfire, Overlap, Schedule
from tasks.queries.schedules import get_schedule, may_steer
from tasks.schedules.timing import timing_of
from tasks.schedules.words import describe
from tasks.services.schedules import editing
from tasks.services.schedules.fields import from_words, to_words

CONVERSATIONS = 200


@require_GET
@page()
def preview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Answer what a time in words means, and the next three."""
    text = request.GET.get("when", "").strip()[:200]
    shown: dict[str, Any] = {"text": text}
    if text:
        try:
            timing = editing.preview(actor, from_words(text, time_zone=request.GET.get("time_zone", "")[:64]))
            shown |= {
                "words": describe(timing),
                "next": timing.upcoming(timezone.now()),
                "zone": timing.time_zone,
            }
        except AccountsError as error:
            shown["problem"] = str(error)
    return render(request, "schedules/preview.html", shown)


@page()
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    values = {"time_zone": actor.organization.time_zone, **DEFAULTS}
    problem = None
    if request.method == "POST":
        values = _sent(request)
        try:
            made = editing.create_schedule(
                actor,
                conversation_id=number(values["conversation"]),
                prompt=values["prompt"],
                when=from_words(values["when"], time_zone=values["time_zone"]),
                **_options(values),
            )
        except AccountsError as error:
            problem = error
        else:
            return redirect("schedule", schedule_id=made.pk)
    return _form(request, actor, values, problem, "New schedule", None)


@page()
def edit(request: HttpRequest, actor: Actor, schedule_id: int) -> HttpResponse:
    schedule = get_schedule(actor, schedule_id)
    if not may_steer(actor, schedule):
        messages.error(request, "Only its owner or a moderator may change it.")
        return redirect("schedule", schedule_id=schedule_id)
    before = _values(schedule)
    values, problem = before, None
    if request.method == "POST":
        values = _sent(request)
        try:
            _save(actor, schedule, before, values)
        except AccountsError as error:
            problem = error
        else:
            messages.success(request, "Saved.")
            return redirect("schedule", schedule_id=schedule_id)
    return _form(request, actor, values, problem, f"Change {schedule.name}", schedule)


def _save(actor: Actor, schedule: Schedule, before: dict[str, str], values: dict[str, str]) -> None:
    """Hand on what was changed: an interval that was left alone keeps its beginning."""
    retimed = (before["when"], before["time_zone"]) != (values["when"], values["time_zone"])
    changes: dict[str, Any] = {
        name: value
        for (name, value), (_, was) in zip(_options(values).items(), _options(before).items(), strict=True)
        if value != was
    }
    if values["prompt"] != before["prompt"]:
        changes["prompt"] = values["prompt"]
    if values["conversation"] != before["conversation"]:
        changes["conversation_id"] = number(values["conversation"])
    when = from_words(values["when"], time_zone=values["time_zone"]) if retimed else None
    editing.update_schedule(actor, schedule.pk, when=when, **changes)


DEFAULTS = {"timeout_min": "25", "misfire": "once", "grace_min": "2", "overlap": "skip"}
FIELDS = (
    "name", "prompt", "conversation", "when", "time_zone", "active_from", "active_until", "timeout_min", "grace_min",
    "misfire", "overlap", "run_once",
)  # fmt: skip


def _sent(request: HttpRequest) -> dict[str, str]:
    sent = {name: request.POST.get(name, "").strip()[:20_000] for name in FIELDS}
    return {**sent, **{name: sent[name] or value for name, value in DEFAULTS.items()}}


def _values(schedule: Schedule) -> dict[str, str]:
    return {
        "name": schedule.name,
        "prompt": schedule.prompt,
        "conversation": str(schedule.conversation_id),
        "when": to_words(timing_of(schedule)),
        "time_zone": schedule.time_zone,
        "active_from": f"{schedule.active_from:%H:%M}" if schedule.active_from else "",
        "active_until": f"{schedule.active_until:%H:%M}" if schedule.active_until else "",
        "timeout_min": f"{schedule.timeout_s / 60:g}",
        "grace_min": f"{schedule.grace_s / 60:g}",
        "misfire": schedule.misfire,
        "overlap": schedule.overlap,
        "run_once": "on" if schedule.run_once else "",
    }


def _options(values: dict[str, str]) -> dict[str, Any]:
    return {
        "name": values["name"],
        "active_from": _time(values["active_from"], "active_from"),
        "active_until": _time(values["active_until"], "active_until"),
        "timeout_s": _seconds(values["timeout_min"], "timeout_s"),
        "grace_s": _seconds(values["grace_min"], "grace_s"),
        "misfire": values["misfire"],
        "overlap": values["overlap"],
        "run_once": values["run_once"] == "on",
    }


def _time(text: str, field: str) -> time | None:
    if not text:
        return None
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise InvalidInput("This is a time of the day, such as 09:00.", field=field) from None


def _seconds(text: str, field: str) -> int:
    try:
        return int(float(text) * 60)
    except (ValueError, OverflowError):
        raise InvalidInput("This is a number of minutes.", field=field) from None


def _form(
    request: HttpRequest,
    actor: Actor,
    values: dict[str, str],
    problem: AccountsError | None,
    title: str,
    schedule: Schedule | None,
) -> HttpResponse:
    agents = {agent.pk: agent for agent in list_agents(actor)}
    places = list_conversations(actor, limit=CONVERSATIONS)
    if schedule is not None and schedule.conversation_id not in {each.pk for each in places}:
        places.append(schedule.conversation)
    return render(
        request,
        "schedules/form.html",
        {
            "title": title,
            "values": values,
            "schedule": schedule,
            "problem": str(problem) if problem else "",
            "wrong": getattr(problem, "field", "") if problem else "",
            "places": [(str(each.pk), listing.title_of(each, agents)) for each in places],
            "zones": sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
            "misfires": Misfire.choices,
            "overlaps": Overlap.choices,
        },
    )
