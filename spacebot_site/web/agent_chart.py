"""Who leads and who works with whom: a drawing, and the same as a table that can be changed."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from accounts.models import Role
from accounts.queries import list_members
from agents.links import queries, services
from agents.models import Agent, AgentLink, LinkKind
from agents.queries import list_agents
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number
from spacebot_site.web.who_approves import who_approves


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        _change(request, actor)
        return redirect("agent_chart")
    links, agents = list(queries.list_links(actor)), list(list_agents(actor))
    may_edit = actor.has_level(Role.ADMIN)
    return render(
        request,
        "agents/chart.html",
        {
            "links": links,
            "agents": agents,
            "members": [each.user for each in list_members(actor)] if may_edit else [],
            "kinds": LinkKind.choices,
            "may_edit": may_edit,
            "approvers": who_approves(actor, agents),
            "drawing": json.dumps(_drawing(agents, links)),
        },
    )


def _change(request: HttpRequest, actor: Actor) -> None:
    if request.POST.get("act") == "remove":
        link_id = number(request.POST.get("link"))
        attempt(request, lambda: services.remove_link(actor, link_id), "The link is gone.")
        return
    kind, _, first = request.POST.get("first", "").partition(":")
    ends = {f"first_{kind}_id": number(first)} if kind in ("agent", "user") else {}
    attempt(
        request,
        lambda: services.create_link(
            actor,
            **ends,
            second_agent_id=number(request.POST.get("second")),
            kind=request.POST.get("kind", ""),
            two_way=request.POST.get("two_way") == "1",
        ),
        "They are linked.",
    )


def _drawing(agents: list[Agent], links: list[AgentLink]) -> dict[str, list[dict[str, Any]]]:
    """Return nodes and edges as the drawing wants them; people are there only with a link."""
    people = {link.first_user.pk: link.first_user for link in links if link.first_user}
    nodes = [{"id": f"agent:{each.pk}", "label": each.name, "type": "agent"} for each in agents]
    nodes += [
        {"id": f"user:{pk}", "label": user.get_full_name(), "type": "user"} for pk, user in people.items()
    ]
    edges = [
        {
            "id": f"link:{link.pk}",
            "source": f"agent:{link.first_agent_id}" if link.first_agent_id else f"user:{link.first_user_id}",
            "target": f"agent:{link.second_agent_id}",
            "kind": link.kind,
            "both": int(link.two_way),
        }
        for link in links
    ]
    return {"nodes": nodes, "edges": edges}
