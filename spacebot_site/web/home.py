"""Home: my conversations, what waits for me, my tasks, what is under way and planned, what failed, agents, first steps."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.models import Role
from agents.autonomy.queries import list_paused
from agents.cortex.queries import BAD_STATES, list_trouble
from agents.models import LIVE_STATES, Run, RunKind, RunState
from agents.queries import list_agents, readable_runs
from messaging.queries import list_conversations
from spacebot_site.web import conversation_list as listing
from spacebot_site.web.approval_words import describe
from spacebot_site.web.board_words import cards
from spacebot_site.web.door import page
from spacebot_site.web.first_steps import first_steps
from spacebot_site.web.message_parts import quote_of
from spacebot_site.web.question_parts import open_questions
from spacebot_site.web.schedule_parts import planned
from tasks.queries.approvals import decidable
from tasks.queries.board import list_mine

CONVERSATIONS = 8
RUNS = 6
PLANNED = 4
DAYS = 7
WORK = (RunKind.BRANCH, RunKind.WORKER, RunKind.COLLEAGUE)


@require_GET
@page()
def root(request: HttpRequest, actor: Actor) -> HttpResponse:
    return redirect("home")


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    agents = {agent.pk: agent for agent in list_agents(actor)}
    found = list_conversations(actor, limit=CONVERSATIONS)
    last = listing.last_messages(found)
    conversations = listing.rows(actor, found, agents)
    for row in conversations:
        said = last.get(row["conversation"].pk)
        row["last"] = quote_of(said) if said else None
    live, failed, done = _runs(actor)
    trouble = list_trouble(actor, limit=RUNS)
    steps = first_steps(actor)
    return render(
        request,
        "home/index.html",
        {
            "conversations": conversations,
            "live": live,
            "failed": failed,
            "trouble": trouble,
            "failures": len(failed) + len(trouble),
            "done": done,
            "mine": cards(actor, list_mine(actor)),
            "planned": planned(actor, most=PLANNED),
            "agents": [agent for agent in agents.values() if agent.enabled][:RUNS],
            "waiting": describe(actor, decidable(actor).order_by("-id")[:RUNS], agents),
            "paused": list_paused(actor),
            "may_resume": actor.has_level(Role.ADMIN),
            "questions": open_questions(actor, most=RUNS),
            "here": request.path,
            "steps": steps,
            "steps_left": sum(not step.done for step in steps),
        },
    )


def _runs(actor: Actor) -> tuple[list[Run], list[Run], list[Run]]:
    """Return the newest runs under way, failed and done, in one query."""
    runs = readable_runs(actor).exclude(kind=RunKind.COMPACTION).order_by("-id")
    ended = runs.filter(finished_at__gte=timezone.now() - timedelta(days=DAYS))
    wanted = (
        runs.filter(state__in=LIVE_STATES),
        ended.filter(state__in=BAD_STATES),
        ended.filter(state=RunState.SUCCEEDED, kind__in=WORK),
    )
    newest = [Q(pk__in=rows.values("pk")[:RUNS]) for rows in wanted]
    found = list(runs.filter(newest[0] | newest[1] | newest[2]))
    return (
        [run for run in found if run.is_live],
        [run for run in found if run.state in BAD_STATES],
        [run for run in found if run.state == RunState.SUCCEEDED],
    )
