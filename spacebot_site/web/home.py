"""Home: my conversations, what is under way, what failed, and the first steps."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from agents.models import RunState
from agents.queries import list_agents, list_runs, readable_runs
from messaging.queries import list_conversations
from spacebot_site.web.door import page
from spacebot_site.web.first_steps import first_steps

SHOWN = 6
FAILED_DAYS = 7


@require_GET
@page()
def root(request: HttpRequest, actor: Actor) -> HttpResponse:
    return redirect("home")


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    agents = {agent.pk: agent for agent in list_agents(actor)}
    conversations = list_conversations(actor, limit=SHOWN)
    failed = readable_runs(actor).filter(
        state__in=(RunState.FAILED, RunState.TIMED_OUT, RunState.INTERRUPTED),
        finished_at__gte=timezone.now() - timedelta(days=FAILED_DAYS),
    )
    steps = first_steps(actor)
    return render(
        request,
        "home/index.html",
        {
            "conversations": [{"row": each, "agent": agents.get(each.agent_id)} for each in conversations],
            "live": list_runs(actor, live_only=True, limit=SHOWN),
            "failed": list(failed.order_by("-id")[:SHOWN]),
            "steps": steps,
            "steps_left": sum(not step.done for step in steps),
        },
    )
