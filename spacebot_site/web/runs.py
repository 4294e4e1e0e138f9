"""Runs: what an agent did, listed and inspected down to the exact prompt."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.models import Role
from agents.models import RunKind, RunState
from agents.queries import get_run, list_runs
from agents.services.pictures import show_picture
from messaging.queries import get_conversation
from spacebot_site.web import inspector
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import number

PAGE = 50
KIND_WORDS = {
    RunKind.CHANNEL: "Channels",
    RunKind.BRANCH: "Branches",
    RunKind.WORKER: "Workers",
    RunKind.CRON: "Scheduled",
    RunKind.AUTONOMY: "By themselves",
    RunKind.COMPACTION: "Summaries",
}


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    kind = request.GET.get("kind", "")
    chosen: dict[str, Any] = {
        "kind": kind if kind in RunKind.values else None,
        "live_only": "live" in request.GET,
    }
    conversation = number(request.GET.get("conversation"))
    inside = get_conversation(actor, conversation) if conversation else None
    before = request.GET.get("before", "")
    found = list_runs(
        actor,
        conversation_id=inside.pk if inside else None,
        before=number(before) or None,
        limit=PAGE + 1,
        **chosen,
    )
    query = request.GET.copy()
    first = query.copy()
    first.pop("before", None)
    query["before"] = str(found[PAGE - 1].pk) if len(found) > PAGE else ""
    return render(
        request,
        "runs/index.html",
        {
            "runs": found[:PAGE],
            "next_page": query.urlencode() if len(found) > PAGE else "",
            "first_page": first.urlencode() if before else None,
            "kinds": [
                (kind, words)
                for kind, words in KIND_WORDS.items()
                if kind != RunKind.AUTONOMY or actor.has_level(Role.ADMIN)
            ],
            "inside": inside,
            "bad_states": (RunState.FAILED, RunState.TIMED_OUT, RunState.INTERRUPTED),
            **chosen,
        },
    )


@require_GET
@page()
def picture(request: HttpRequest, actor: Actor, run_id: int, picture_id: int) -> HttpResponse:
    return show_picture(actor, run_id, picture_id)


@require_GET
@page()
def detail(request: HttpRequest, actor: Actor, run_id: int) -> HttpResponse:
    run = get_run(actor, run_id)
    template = "runs/drawer.html" if wants_fragment(request) else "runs/detail.html"
    return render(request, template, inspector.load(actor, run))
