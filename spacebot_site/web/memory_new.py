"""Entering a memory by hand. What is nearly known already is shown before it is stored beside it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from accounts.models import Role
from accounts.services.people import person_for_user
from agents.queries import get_agent, list_agents
from memory import types
from memory.models import Audience, MemoryType
from memory.queries import count_by_agent
from memory.services import editing
from memory.types import HeardBy, Saved
from spacebot_site.web.door import page
from spacebot_site.web.forms import dialog, number
from spacebot_site.web.memory import share

TYPES = [(value, label) for value, label in MemoryType.choices if value != MemoryType.HUMAN]


@page()
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    shown: dict[str, Any] = {"values": request.POST or request.GET, "problem": ""}
    if request.method == "POST":
        try:
            saved = _create(request, actor)
        except AccountsError as error:
            shown["problem"] = str(error)
        else:
            if saved.created and saved.memory is not None:
                messages.success(request, "Noted. The agent knows it from now on.")
                return redirect("memories")
            shown["same"], shown["similar"] = saved.memory, saved.similar
    known = count_by_agent(actor)
    shown |= {
        "agents": sorted(list_agents(actor), key=lambda agent: -known.get(agent.pk, 0)),
        "types": TYPES,
        "may_tell_all": actor.has_level(Role.MODERATOR),
    }
    return dialog(request, "memory/new_form.html", "New memory", shown)


def _create(request: HttpRequest, actor: Actor) -> Saved:
    form, agent_id = request.POST, number(request.POST.get("agent"))
    if not agent_id:
        raise InvalidInput("Choose an agent.", field="agent")
    return editing.create_memory(
        actor,
        agent_id=get_agent(actor, agent_id).pk,
        type=form.get("type", ""),
        content=form.get("content", ""),
        heard_by=_heard_by(actor, form.get("audience", "")),
        importance=share(form.get("importance")),
        pinned="pinned" in form,
        even_if_similar="even_if_similar" in form,
    )


def _heard_by(actor: Actor, wanted: str) -> HeardBy:
    if wanted == Audience.ORGANIZATION:
        return types.ORGANIZATION
    return types.person(person_for_user(actor.organization, actor.user).pk)
