"""What agents know: a table to search and correct, and one memory with its history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput, NotFound
from accounts.models import Role
from agents.queries import list_agents
from memory import queries, types
from memory.models import Audience, Memory, MemoryType
from memory.services import editing
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import number
from spacebot_site.web.memory_words import describe, own_person_id

PAGE = 40
STATES = (("", "In use"), ("forgotten", "Forgotten"), ("all", "Everything"))


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    asked = {name: request.GET.get(name, "").strip()[:200] for name in ("q", "type", "audience", "state")}
    asked["agent"] = request.GET.get("agent", "")
    found = queries.list_memories(
        actor,
        search=asked["q"],
        types=[asked["type"]] if asked["type"] in MemoryType.values else (),
        audience=asked["audience"] if asked["audience"] in Audience.values else "",
        agent_id=number(asked["agent"]) or None,
        pinned=True if "pinned" in request.GET else None,
        only_forgotten=asked["state"] == "forgotten",
        include_retired=asked["state"] == "all",
        before_id=number(request.GET.get("before")) or None,
        limit=PAGE + 1,
    )
    query = request.GET.copy()
    if len(found) > PAGE:
        query["before"] = str(found[PAGE - 1].pk)
    return render(
        request,
        "memory/index.html",
        {
            "rows": describe(actor, found[:PAGE]),
            "next_page": query.urlencode() if len(found) > PAGE else "",
            "asked": asked,
            "pinned": "pinned" in request.GET,
            "is_filtered": any(asked.values()) or "pinned" in request.GET,
            "types": MemoryType.choices,
            "audiences": [
                (Audience.ORGANIZATION, "Everyone"),
                (Audience.CONVERSATION, "A conversation"),
                (Audience.PERSON, "Only me"),
            ],
            "states": STATES,
            "agents": list_agents(actor),
            "waiting": len(queries.list_inbox(actor)),
        },
    )


@page()
def one(request: HttpRequest, actor: Actor, memory_id: int) -> HttpResponse:
    """Show a memory: as a page, in the drawer, or as a line of the table, to read or to edit."""
    memory = queries.get_memory(actor, memory_id)
    part = request.POST.get("part") or request.GET.get("part", "")
    if request.method != "POST":
        return _show(request, actor, memory, part)
    problem = ""
    try:
        done = change(actor, memory, request)
        memory = queries.get_memory(actor, memory_id)
    except AccountsError as error:
        problem, done = str(error), ""
    if request.headers.get("HX-Request"):
        if problem and part == "row" and request.POST.get("act") == "edit":
            part = "edit"
        return _show(request, actor, memory, part, problem=problem, done=done)
    messages.add_message(request, messages.ERROR if problem else messages.SUCCESS, problem or done)
    return redirect("memory", memory_id=memory_id)


def _show(request: HttpRequest, actor: Actor, memory: Memory, part: str, **more: Any) -> HttpResponse:
    template = {"row": "memory/row.html", "edit": "memory/row_edit.html", "body": "memory/body.html"}.get(
        part
    )
    if template is None:
        template = "memory/drawer.html" if wants_fragment(request) else "memory/detail.html"
    shown: dict[str, Any] = {"row": describe(actor, [memory])[0], "types": MemoryType.choices, **more}
    if part not in ("row", "edit"):
        edges = queries.list_edges(actor, [memory.pk])
        ends = {end for edge in edges for end in (edge.source_id, edge.target_id)} - {memory.pk}
        others = queries.memories_of(actor).in_bulk(ends)
        shown["edges"] = [
            (edge, others[edge.target_id if edge.source_id == memory.pk else edge.source_id])
            for edge in edges
        ]
        shown["edits"] = queries.list_edits(actor, memory.pk)
        shown["may_open"] = actor.has_level(Role.MODERATOR)
    return render(request, template, shown)


def change(actor: Actor, memory: Memory, request: HttpRequest) -> str:
    """Do what a form asks for and return it in words."""
    form, pk = request.POST, memory.pk
    act = form.get("act")
    if act == "edit":
        editing.edit_memory(
            actor,
            pk,
            content=form.get("content"),
            type=form.get("type"),
            importance=_share(form.get("importance")),
            reason=form.get("reason", ""),
        )
        return "Saved. The old text is kept."
    if act in ("pin", "unpin"):
        editing.edit_memory(actor, pk, pinned=act == "pin")
        return "Pinned." if act == "pin" else "No longer pinned."
    if act == "forget":
        editing.forget_memory(actor, pk, reason=form.get("reason", ""))
        return "Forgotten. It can be restored."
    if act == "restore":
        editing.restore_memory(actor, pk)
        return "Restored."
    if act == "audience":
        editing.change_audience(actor, pk, _audience(actor, memory, form.get("audience", "")))
        return "Changed who may hear it."
    raise InvalidInput("There is no such action.")


def _share(text: str | None) -> float | None:
    """Return a percentage of a form as a share."""
    if not text:
        return None
    try:
        return float(text) / 100
    except ValueError:
        raise InvalidInput("The importance is a number from 0 to 100.", field="importance") from None


def _audience(actor: Actor, memory: Memory, wanted: str) -> types.HeardBy:
    if wanted == Audience.ORGANIZATION:
        return types.ORGANIZATION
    if wanted == Audience.PERSON:
        return types.person(own_person_id(actor))
    learned_in = memory.audience_conversation_id or memory.conversation_id
    if wanted != Audience.CONVERSATION or learned_in is None:
        raise NotFound("There is no such audience.")
    return types.conversation(learned_in)
