"""What looks after an agent, for administrators: jobs, tools that are cut off, the log, and a way to ask about it all."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from agents.cortex import queries, services
from agents.cortex.table import JOBS
from agents.models import Agent, CortexJob
from agents.queries import find_agent_by_slug
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number

LINES = 50
SUGGESTIONS = (
    ("triangle-alert", "What failed", "What failed in the last 24 hours?"),
    ("circle-dollar-sign", "What it costs", "What did models cost this week?"),
    ("hourglass", "What is stuck", "Is anything unanswered or stuck?"),
)


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    agent = find_agent_by_slug(actor, slug)
    if agent is None:
        raise NotFound("There is no such agent.")
    if request.method == "POST":
        return _act(request, actor, agent)
    before = number(request.GET.get("before"))
    alarms_only = "alarms" in request.GET
    lines = queries.list_log(actor, agent.pk, alarms_only=alarms_only, before=before or None, limit=LINES + 1)
    shown = {
        "agent": agent,
        "tab": "cortex",
        "may_edit": True,
        "jobs": _jobs(actor, agent),
        "breakers": queries.list_breakers(actor, agent.pk),
        "lines": lines[:LINES],
        "older": lines[LINES - 1].pk if len(lines) > LINES else None,
        "alarms_only": alarms_only,
        "paged": bool(before),
    }
    return render(request, "agents/cortex.html", shown)


def _act(request: HttpRequest, actor: Actor, agent: Agent) -> HttpResponse:
    act = request.POST.get("act")
    if act == "ask":
        return redirect("conversation", conversation_id=services.open_chat(actor, agent.pk).pk)
    if act == "close":
        breaker = number(request.POST.get("breaker"))
        attempt(
            request, lambda: services.close_breaker(actor, agent.pk, breaker), "The tool may be called again."
        )
    else:
        name = request.POST.get("job", "")
        attempt(request, lambda: services.run_job_now(actor, agent.pk, name), "It runs within half a minute.")
    return redirect("cortex", slug=agent.slug)


def _jobs(actor: Actor, agent: Agent) -> list[dict[str, Any]]:
    """Return each job with its row; None before it ran for the first time."""
    rows = {row.name: row for row in queries.list_jobs(actor, agent.pk)}
    now = timezone.now()
    return [
        {
            "job": job,
            "row": (row := rows.get(name)),
            "state": _state(row),
            "is_due": row is not None and row.due_at <= now,
        }
        for name, job in JOBS.items()
    ]


def _state(row: CortexJob | None) -> str:
    if row is None:
        return "new"
    if row.lease_owner:
        return "running" if row.lease_expires_at and row.lease_expires_at > timezone.now() else "lost"
    return "failing" if row.failures else "well"
