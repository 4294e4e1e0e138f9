"""Notices: what I should know of, each leading to what it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from agents.models import Agent
from realtime.models import Notice, NoticeKind
from realtime.notices import queries, services
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt

PLACES: dict[str, Callable[[int], str]] = {
    "run": lambda pk: reverse("run", args=[pk]),
    "conversation": lambda pk: reverse("conversation", args=[pk]),
    "memory": lambda pk: reverse("memory", args=[pk]),
    "memory_inbox": lambda pk: reverse("memory_inbox"),
    "approval": lambda pk: reverse("approval", args=[pk]),
    "task": lambda number: reverse("task", args=[number]),
    "goal": lambda pk: reverse("goal", args=[pk]),
    "schedule": lambda pk: reverse("schedule", args=[pk]),
    "mcp_server": lambda pk: reverse("mcp_server", args=[pk]),
    "agent": lambda pk: _agent(pk),
}
"""Which page a notice's subject is shown on."""

ICONS = {
    NoticeKind.APPROVAL: "shield-question",
    NoticeKind.FAILURE: "circle-x",
    NoticeKind.BREAKER: "octagon-alert",
    NoticeKind.DONE: "circle-check",
    NoticeKind.MENTION: "at-sign",
    NoticeKind.CHANGE: "pencil",
}


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        if request.POST.get("act") == "mail":
            kinds = request.POST.getlist("kinds")
            attempt(request, lambda: services.set_mailed_kinds(actor, kinds), "Saved.")
        else:
            services.mark_all_read(actor)
        return redirect("notices")
    unread = "all" not in request.GET
    rows, following = queries.list_notices(actor, unread=unread, before=_before(request), limit=50)
    return render(
        request,
        "notices/index.html",
        {
            "rows": [(row, ICONS[NoticeKind(row.kind)]) for row in rows],
            "unread_only": unread,
            "following": following.isoformat() if following else "",
            "kinds": [(kind.value, kind.label) for kind in NoticeKind],
            "mailed": queries.mailed_kinds(actor),
            "mail_is_set_up": bool(settings.SPACEBOT_EMAIL_URL),
        },
    )


@require_GET
@page()
def open_notice(request: HttpRequest, actor: Actor, notice_id: int) -> HttpResponse:
    """Lead to what the notice is about, and take it as read."""
    return redirect(place_of(services.mark_read(actor, notice_id)))


def place_of(notice: Notice) -> str:
    place = PLACES.get(notice.subject)
    return place(notice.subject_id or 0) if place else reverse("notices") + "?all"


def _agent(pk: int) -> str:
    """Return the page of an agent's health."""
    slug = Agent.objects.filter(pk=pk).values_list("slug", flat=True).first()
    return reverse("cortex", args=[slug]) if slug else reverse("notices") + "?all"


def _before(request: HttpRequest) -> datetime | None:
    """Return the time in the address; None for none, or for what is no time with a zone."""
    try:
        found = parse_datetime(request.GET.get("before", "")[:40])
    except ValueError:
        return None
    return found if found and found.tzinfo else None
