"""Files that agents learn from: giving one, watching how far it is, trying again, forgetting what it taught."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from accounts.errors import AccountsError
from agents.queries import list_agents
from llm.services.routing import get_routing
from memory import queries as memories
from memory.ingestion import queries, services
from memory.models import FileState
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number

PAGE = 50
WORDS = {
    FileState.QUEUED: "Waits for its turn",
    FileState.READING: "Being read",
    FileState.EXTRACTING: "Being learned",
    FileState.DONE: "Learned",
    FileState.FAILED: "Failed",
}


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    agents = list(list_agents(actor))
    wanted = number(request.POST.get("agent") or request.GET.get("agent"))
    agent = next((each for each in agents if each.pk == wanted), agents[0] if agents else None)
    if request.method == "POST":
        if agent is not None:
            _act(request, actor, agent.pk)
        return redirect(f"{request.path}?agent={agent.pk}" if agent else request.path)
    before = number(request.GET.get("before"))
    rows = queries.list_files(actor, agent.pk, before_id=before or None, limit=PAGE + 1) if agent else []
    return render(
        request,
        "memory/files.html",
        {
            "agents": agents,
            "agent": agent,
            "rows": [(row, WORDS[FileState(row.state)]) for row in rows[:PAGE]],
            "following": rows[PAGE - 1].pk if len(rows) > PAGE else 0,
            "may_give": actor.has_level(services.LEAST_ROLE),
            "has_model": bool(get_routing(actor.organization.pk).entries),
            "most_mb": services.MOST_MB,
            "endings": services.ENDINGS,
            "waiting": len(memories.list_inbox(actor)),
        },
    )


def _act(request: HttpRequest, actor: Actor, agent_id: int) -> None:
    act, file_id = request.POST.get("act"), number(request.POST.get("file"))
    if act == "retry":
        attempt(request, lambda: services.retry_file(actor, agent_id, file_id), "It is tried again.")
    elif act == "forget":
        attempt(
            request,
            lambda: services.forget_file(actor, agent_id, file_id),
            "The file and all it taught are forgotten.",
        )
    else:
        _give(request, actor, agent_id)


def _give(request: HttpRequest, actor: Actor, agent_id: int) -> None:
    """Take each file by itself: one that is refused does not keep out the others."""
    given = request.FILES.getlist("files")
    if not given:
        messages.error(request, "Choose a file first.")
    for file in given:
        try:
            accepted = services.accept_upload(
                actor,
                agent_id,
                file.name or "",
                file,
                audience="person" if request.POST.get("audience") == "person" else "organization",
            )
        except AccountsError as error:
            messages.error(request, f"{(file.name or 'A file')[:100]}: {error}")
            continue
        word = "is being learned." if accepted.created else "is known already; it is not read twice."
        messages.success(request, f"{accepted.file.name} {word}")
