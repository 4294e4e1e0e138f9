"""Where agents may go: the list of public hosts, exceptions for private ones, and what was refused lately."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from accounts.models import Role
from agents.models import EgressKind
from agents.queries import list_agents
from agents.services import egress as services
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        _change(request, actor)
        return redirect("network")
    rules = list(services.list_rules(actor))
    return render(
        request,
        "settings/network.html",
        {
            "allowed": [rule for rule in rules if rule.kind == EgressKind.ALLOW],
            "private": [rule for rule in rules if rule.kind == EgressKind.PRIVATE],
            "refusals": services.list_refusals(actor),
            "agents": list(list_agents(actor)),
            "may_edit": actor.has_level(Role.OWNER),
        },
    )


def _change(request: HttpRequest, actor: Actor) -> None:
    form = request.POST
    if form.get("act") == "add":
        attempt(
            request,
            lambda: services.add_rule(
                actor,
                kind=form.get("kind", ""),
                host=form.get("host", ""),
                agent_id=number(form.get("agent")) or None,
            ),
            "It counts from the next connection on.",
        )
    elif form.get("act") == "delete":
        attempt(request, lambda: services.delete_rule(actor, number(form.get("rule"))), "Deleted.")
