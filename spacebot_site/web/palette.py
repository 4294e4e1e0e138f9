"""What the command palette finds: pages, actions, conversations, agents."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.models import Role
from agents.queries import list_agents
from messaging.queries import list_conversations
from spacebot_site.web.door import page
from spacebot_site.web.frame import rail

MOST = 8


@require_GET
@page()
def results(request: HttpRequest, actor: Actor) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:200]
    options = [
        {
            "icon": "plus",
            "label": "New conversation",
            "url": reverse("new_conversation"),
            "kind": "Start",
            "dialog": True,
        }
    ]
    options += [
        {"icon": entry["icon"], "label": entry["label"], "url": entry["url"], "kind": "Go to"}
        for entry in rail("", actor)["all"]
    ]
    agents = list(list_agents(actor)) if words else []
    options += [
        {"icon": "bot", "label": agent.name, "url": reverse("agent", args=[agent.slug]), "kind": "Agent"}
        for agent in agents
    ]
    if actor.has_level(Role.ADMIN):
        options += [
            {
                "icon": "gauge",
                "label": f"Autonomy of {agent.name}",
                "url": reverse("autonomy", args=[agent.slug]),
                "kind": "Agent",
            }
            for agent in agents
        ]
    options = [each for each in options if words.lower() in str(each["label"]).lower()]
    options += [
        {
            "icon": "message-square",
            "label": found.title or "Conversation",
            "url": reverse("conversation", args=[found.pk]),
            "kind": "Conversation",
        }
        for found in list_conversations(actor, search=words, limit=MOST)
    ]
    return render(request, "components/palette_results.html", {"options": options, "words": words})
