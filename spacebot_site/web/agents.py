"""The agents: a list, one agent's persona, and a new one from a preset."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError, NotFound
from accounts.models import Role
from agents.presets import PRESETS
from agents.queries import find_agent_by_slug, list_agents, list_runs
from agents.services import agents as services
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import attempt

TEXTS = ("name", "tagline", "soul", "identity", "role")


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    may_edit = actor.has_level(Role.ADMIN)
    return render(request, "agents/index.html", {"agents": list_agents(actor), "may_edit": may_edit})


@page(level=Role.ADMIN)
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        try:
            agent = services.create_agent(
                actor, name=request.POST.get("name", ""), preset=request.POST.get("preset", "")
            )
        except AccountsError as error:
            problem = str(error)
        else:
            return redirect("agent", slug=agent.slug)
    template = "agents/new_form.html" if wants_fragment(request) else "agents/new.html"
    shown = {"presets": PRESETS.values(), "problem": problem, "values": request.POST}
    return render(request, template, shown)


@page()
def detail(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    agent = find_agent_by_slug(actor, slug)
    if agent is None:
        raise NotFound("There is no such agent.")
    if request.method == "POST":
        changes: dict[str, object] = {field: request.POST[field] for field in TEXTS if field in request.POST}
        changes["enabled"] = "enabled" in request.POST
        if attempt(request, lambda: services.update_agent(actor, agent.pk, **changes), "Saved."):
            return redirect("agent", slug=agent.slug)
        for field, value in changes.items():
            setattr(agent, field, value)
    runs = [run for run in list_runs(actor, limit=30) if run.agent_id == agent.pk][:8]
    preset = PRESETS.get(agent.preset)
    may_edit = actor.has_level(Role.ADMIN)
    return render(
        request, "agents/detail.html", {"agent": agent, "runs": runs, "preset": preset, "may_edit": may_edit}
    )
