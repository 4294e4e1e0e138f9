"""How what an agent knows hangs together. The page reads the graph from the API, piece by piece."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from agents.queries import list_agents
from memory import queries
from memory.models import MemoryType
from spacebot_site.web.door import page
from spacebot_site.web.forms import number

SIZES = (100, 250, 500)


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    agents = list(list_agents(actor))
    wanted = number(request.GET.get("agent"))
    known = queries.count_by_agent(actor)
    fullest = max(agents, key=lambda each: known.get(each.pk, 0), default=None)
    agent = next((each for each in agents if each.pk == wanted), fullest)
    size = number(request.GET.get("size"))
    return render(
        request,
        "memory/graph.html",
        {
            "agents": agents,
            "agent": agent,
            "size": size if size in SIZES else SIZES[0],
            "sizes": SIZES,
            "types": MemoryType.choices,
            "waiting": len(queries.list_inbox(actor)),
        },
    )
