"""The agents: a list, one agent's persona, and a new one from a preset."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError, NotFound
from accounts.models import Role
from agents.autonomy.explaining import explain
from agents.autonomy.levels import lower
from agents.autonomy.settings import get_autonomy, get_rule
from agents.coding.choosing import AUTO, BACKENDS, OFF, choose
from agents.coding.errors import NoBackend
from agents.models import Agent
from agents.presets import PRESETS
from agents.processes.limits import DEFAULT_ACTIVE_LIMIT_S
from agents.queries import find_agent_by_slug, list_agents, readable_runs
from agents.services import agents as services
from agents.services.summing_up import BUDGET_CALLS
from spacebot_site.web.autonomy_words import state_line
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, dialog, number

TEXTS = ("name", "tagline", "soul", "identity", "role")
RUNS_SHOWN = 8
SCRUBBING = (
    ("patterns", "Known secrets, and what looks like one (usual)"),
    ("own", "Known secrets alone"),
    ("off", "Nothing: secrets may reach models and people"),
)


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    may_edit = actor.has_level(Role.ADMIN)
    return render(
        request,
        "agents/index.html",
        {"agents": list_agents(actor).select_related("profile"), "may_edit": may_edit},
    )


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
    shown = {"presets": PRESETS.values(), "problem": problem, "values": request.POST}
    return dialog(request, "agents/new_form.html", "New agent", shown)


@page()
def detail(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    agent = find_agent_by_slug(actor, slug)
    if agent is None:
        raise NotFound("There is no such agent.")
    if request.method == "POST" and _change(request, actor, agent):
        return redirect("agent", slug=agent.slug)
    runs = readable_runs(actor).filter(agent=agent).order_by("-id")[:RUNS_SHOWN]
    shown = {
        "agent": agent,
        "tab": "agent",
        "runs": runs,
        "preset": PRESETS.get(agent.preset),
        "presets": PRESETS.values(),
        "limits": _limits(agent),
        "usual_budget": BUDGET_CALLS,
        "scrubbing": SCRUBBING,
        "coding": _coding_agents(),
        "coding_problem": _coding_problem(agent),
        "usual_zone": agent.organization.time_zone,
        "may_edit": actor.has_level(Role.ADMIN),
        "autonomy": _by_itself(actor, agent) if actor.has_level(Role.ADMIN) else None,
    }
    return render(request, "agents/detail.html", shown)


def _by_itself(actor: Actor, agent: Agent) -> dict[str, Any]:
    row, rule = get_autonomy(actor, agent.pk), get_rule(actor)
    return state_line(explain(row, rule, lower(row.level, rule.ceiling)))


def _change(request: HttpRequest, actor: Actor, agent: Agent) -> bool:
    """Do what the form asks; False when it was refused, with what was typed left in `agent` to be shown again."""
    form, act = request.POST, request.POST.get("act")
    if act == "switch":
        on = form.get("enabled") == "1"
        words = f"{agent.name} answers messages now." if on else f"{agent.name} is off."
        return attempt(request, lambda: services.update_agent(actor, agent.pk, enabled=on), words)
    if act == "preset":
        preset = form.get("preset", "")
        return attempt(
            request,
            lambda: services.apply_preset(actor, agent.pk, preset=preset),
            "The texts are the preset\u2019s now.",
        )
    if act == "limits":
        chosen: dict[str, Any] = {
            key: value for key, value in agent.settings.items() if key in services.CHOICES
        } | {key: number(form.get(key)) for key in services.SETTINGS if form.get(key, "").strip()}
        if zone := form.get("time_zone", "").strip():
            chosen["time_zone"] = zone
        agent.settings = chosen
        return attempt(request, lambda: services.update_agent(actor, agent.pk, settings=chosen), "Saved.")
    if act in ("scrubbing", "coding"):
        wanted = {**agent.settings, act: form.get(act, "")}
        return attempt(request, lambda: services.update_agent(actor, agent.pk, settings=wanted), "Saved.")
    changes = {field: form[field] for field in TEXTS if field in form}
    for field, value in changes.items():
        setattr(agent, field, value)
    return attempt(request, lambda: services.update_agent(actor, agent.pk, **changes), "Saved.")


def _coding_agents() -> list[tuple[str, str]]:
    named = [(name, backend.title) for name, backend in BACKENDS.items()]
    return [(AUTO, "Whichever is installed (usual)"), *named, (OFF, "None: the built-in worker does it")]


def _coding_problem(agent: Agent) -> str:
    """Return why no coding agent does a task here now; nothing where one does."""
    try:
        choose(agent)
    except NoBackend as error:
        return str(error)
    return ""


def _limits(agent: Agent) -> list[dict[str, Any]]:
    """Return each limit with its value, its bounds, and what holds where nothing is set."""
    usual = {f"{kind}_limit_s": limit for kind, limit in DEFAULT_ACTIVE_LIMIT_S.items()}
    return [
        {
            "key": key,
            "label": key.removesuffix("_limit_s").capitalize(),
            "value": agent.settings.get(key, ""),
            "usual": usual[key],
            "low": low,
            "high": high,
        }
        for key, (low, high) in services.SETTINGS.items()
        if key in usual
    ]
