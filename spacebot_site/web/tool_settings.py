"""Which tools may run, ask first, or are off: for the organization or for one agent; and who then decides."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from agents.models import Policy
from agents.queries import find_agent_by_slug, list_agents
from agents.services import policies as services
from agents.services.tool_health import health_of
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number
from tasks.services.approvals import rules
from tasks.services.approvals.kinds import labels

DAYS = ((1, "a day"), (3, "3 days"), (7, "a week"), (30, "30 days"))


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    slug = request.GET.get("agent", "")
    agent = find_agent_by_slug(actor, slug) if slug else None
    if slug and agent is None:
        raise NotFound("There is no such agent.")
    agent_id = agent.pk if agent else None
    if request.method == "POST":
        _change(request, actor, agent_id)
        address = reverse("tools")
        return redirect(f"{address}?agent={agent.slug}" if agent else address)
    may_edit = actor.has_level(Role.ADMIN)
    agents = list(list_agents(actor))
    health = health_of(actor, agent_id=agent_id)
    names = {each.pk: each.name for each in agents}
    return render(
        request,
        "settings/tools.html",
        {
            "tools": [
                (tool, health.get(tool.name)) for tool in services.list_tools(actor, agent_id=agent_id)
            ],
            "policies": Policy.choices,
            "labels": dict(Policy.choices),
            "agents": agents,
            "agent": agent,
            "may_edit": may_edit,
            "rules": [(rule, names.get(rule.agent_id or 0, "")) for rule in rules.list_rules(actor)]
            if may_edit
            else [],
            "kinds": labels().items(),
            "roles": [(role, role.label) for role in rules.DECIDING_ROLES],
            "days": DAYS,
            "default": rules.Rule(),
        },
    )


def _change(request: HttpRequest, actor: Actor, agent_id: int | None) -> None:
    form, act = request.POST, request.POST.get("act", "policy")
    if act == "policy":
        tool, policy = form.get("tool", ""), form.get("policy") or None
        attempt(
            request, lambda: services.set_policy(actor, tool, policy, agent_id=agent_id), f"{tool}: saved."
        )
    elif act == "rule":
        attempt(
            request,
            lambda: rules.save_rule(
                actor,
                agent_id=number(form.get("rule_agent")) or None,
                kind=form.get("kind", ""),
                subject=form.get("subject", "").strip(),
                minimum_role=form.get("minimum_role", ""),
                needed=number(form.get("needed")),
                four_eyes="four_eyes" in form,
                expires_after_s=number(form.get("days")) * rules.DAY_S,
            ),
            "The rule holds for what is asked from now on, and is checked again before anything runs.",
        )
    elif act == "delete_rule":
        attempt(request, lambda: rules.delete_rule(actor, number(form.get("rule"))), "Deleted.")
