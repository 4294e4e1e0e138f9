"""The walls around commands: which hold, what the machine has, and the switch that only owners reach."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from agents.models import Agent, SandboxMode, SandboxNetwork
from agents.queries import find_agent_by_slug, list_agents
from agents.services import sandboxes as services
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    slug = request.GET.get("agent", "")
    agent = find_agent_by_slug(actor, slug) if slug else None
    if slug and agent is None:
        raise NotFound("There is no such agent.")
    if request.method == "POST":
        _change(request, actor, agent)
        address = reverse("sandbox")
        return redirect(f"{address}?agent={agent.slug}" if agent else address)
    return render(
        request,
        "settings/sandbox.html",
        {
            "walls": services.get_walls(actor, agent_id=agent.pk if agent else None),
            "agents": list(list_agents(actor)),
            "agent": agent,
            "modes": SandboxMode.choices,
            "networks": SandboxNetwork.choices,
            "may_edit": actor.has_level(Role.OWNER),
        },
    )


def _change(request: HttpRequest, actor: Actor, agent: Agent | None) -> None:
    form = request.POST
    attempt(
        request,
        lambda: services.set_walls(
            actor,
            agent_id=agent.pk if agent else None,
            mode=form.get("mode", ""),
            network=form.get("network", ""),
            writable_paths=_lines(form.get("writable", "")),
            readable_paths=_lines(form.get("readable", "")),
        ),
        "Saved. It holds from the next command on.",
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
