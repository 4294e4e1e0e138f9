"""One memory: what it says, where it comes from, what it hangs together with, and every change a form can ask for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput, NotFound
from accounts.models import Role
from memory import queries, types
from memory.models import Association, Audience, Memory, MemoryType, Relation
from memory.services import editing
from memory.services.erasure import erase_memory
from memory.services.merging import undo_merge
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import number
from spacebot_site.web.memory_words import describe, own_person_id

# Each relation as seen from its beginning, and from its end.
RELATIONS = {
    Relation.RELATED_TO: ("is related to", "is related to"),
    Relation.UPDATES: ("updates", "is updated by"),
    Relation.CONTRADICTS: ("contradicts", "contradicts"),
    Relation.CAUSED_BY: ("was caused by", "caused"),
    Relation.PART_OF: ("is part of", "contains"),
    Relation.RESULT_OF: ("is the result of", "led to"),
}


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
        if request.POST.get("act") == "erase":
            messages.success(request, done)
            return leave(request)
        memory = queries.get_memory(actor, memory_id)
    except AccountsError as error:
        problem, done = str(error), ""
    if request.headers.get("HX-Request"):
        if problem and part == "row" and request.POST.get("act") == "edit":
            part = "edit"
        return _show(request, actor, memory, part, problem=problem, done=done)
    messages.add_message(request, messages.ERROR if problem else messages.SUCCESS, problem or done)
    return redirect("memory", memory_id=memory_id)


def leave(request: HttpRequest) -> HttpResponse:
    """Go to the table: the memory is no more."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": reverse("memories")})
    return redirect("memories")


def _show(request: HttpRequest, actor: Actor, memory: Memory, part: str, **more: Any) -> HttpResponse:
    template = {"row": "memory/row.html", "edit": "memory/row_edit.html", "body": "memory/body.html"}.get(
        part
    )
    if template is None:
        template = "memory/drawer.html" if wants_fragment(request) else "memory/detail.html"
    shown: dict[str, Any] = {"row": describe(actor, [memory])[0], "types": MemoryType.choices, **more}
    if template == "memory/detail.html":
        shown["waiting"] = len(queries.list_inbox(actor))
    if part not in ("row", "edit"):
        edges = queries.list_edges(actor, [memory.pk])
        ends = {end for edge in edges for end in (edge.source_id, edge.target_id)} - {memory.pk}
        others = queries.memories_of(actor).in_bulk(ends)
        shown["edges"] = [(edge, _words(edge, memory), others[_other_end(edge, memory)]) for edge in edges]
        shown["edits"] = queries.list_edits(actor, memory.pk)
        shown["merges"] = [
            each for each in queries.list_consolidations(actor, survivor_id=memory.pk) if not each.undone_at
        ]
        shown["relations"] = [(relation, forth) for relation, (forth, _) in RELATIONS.items()]
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
            importance=share(form.get("importance")),
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
    if act == "erase":
        erase_memory(actor, pk)
        return "Erased for good."
    if act == "associate":
        editing.associate(actor, pk, number(form.get("target")), relation=form.get("relation", ""))
        return "They hang together now."
    if act == "dissociate":
        source, target = number(form.get("source")), number(form.get("target"))
        editing.dissociate(actor, source, target, relation=form.get("relation", ""))
        return "They no longer hang together."
    if act == "undo_merge":
        undo_merge(actor, number(form.get("merge")))
        return "The merge was taken back."
    raise InvalidInput("There is no such action.")


def _other_end(edge: Association, memory: Memory) -> int:
    return edge.target_id if edge.source_id == memory.pk else edge.source_id


def _words(edge: Association, memory: Memory) -> str:
    """Say the relation as seen from this memory."""
    forth, back = RELATIONS[Relation(edge.relation)]
    return forth if edge.source_id == memory.pk else back


def share(text: str | None) -> float | None:
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
