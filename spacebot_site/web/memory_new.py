"""Entering a memory by hand."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.actor import Actor
from accounts.errors import AccountsError
from accounts.models import Role
from agents.queries import get_agent, list_agents
from memory import types
from memory.models import Audience, MemoryType
from memory.services import editing
from memory.types import Saved, Similar
from spacebot_site.web.door import page
from spacebot_site.web.forms import dialog, number
from spacebot_site.web.memory_words import own_person_id

BY_HAND = [(value, label) for value, label in MemoryType.choices if value != MemoryType.HUMAN]


@page(level=Role.MODERATOR)
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    problem, alike = "", tuple[Similar, ...]()
    if request.method == "POST":
        try:
            saved = _save(request, actor)
        except AccountsError as error:
            problem = str(error)
        else:
            if saved.memory is not None:
                messages.success(request, "Saved." if saved.created else "This is known already.")
                return redirect(f"{reverse('memories')}?drawer={reverse('memory', args=[saved.memory.pk])}")
            alike = saved.similar
    shown = {
        "agents": list_agents(actor),
        "types": BY_HAND,
        "problem": problem,
        "alike": alike,
        "values": request.POST,
    }
    return dialog(request, "memory/new_form.html", "New memory", shown)


def _save(request: HttpRequest, actor: Actor) -> Saved:
    mine = request.POST.get("audience") == Audience.PERSON
    return editing.create_memory(
        actor,
        agent_id=get_agent(actor, number(request.POST.get("agent"))).pk,
        type=request.POST.get("type", ""),
        content=request.POST.get("content", ""),
        heard_by=types.person(own_person_id(actor)) if mine else types.ORGANIZATION,
        pinned="pinned" in request.POST,
        even_if_similar="even_if_similar" in request.POST,
    )
