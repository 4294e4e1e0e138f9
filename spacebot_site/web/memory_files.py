"""Files that agents learn from: given, watched while they are read, tried again, taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from accounts.models import Role
from agents.queries import list_agents
from memory import queries as memory_queries
from memory.ingestion import queries, services, store
from memory.ingestion.reader.formats import FORMATS, ending_of
from memory.ingestion.removal import remove_file
from memory.ingestion.work import NEEDS_MODEL
from memory.listing import Wanted, list_memories
from memory.models import FileState, IngestedFile
from memory.models.ingestion import OPEN_STATES
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import dialog, number

PAGE = 30
TAUGHT_SHOWN = 8
STATE_WORDS = {
    FileState.QUEUED: "Waits for its turn",
    FileState.READING: "Being opened",
    FileState.EXTRACTING: "Being read",
    FileState.DONE: "Read",
    FileState.FAILED: "Failed",
}
FILTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "open": ("Under way", OPEN_STATES),
    "failed": ("Failed", (FileState.FAILED,)),
    "done": ("Read", (FileState.DONE,)),
}


@dataclass(frozen=True)
class Row:
    """A file as it is shown to one reader."""

    file: IngestedFile
    may_give: bool
    may_set_models: bool

    @property
    def is_open(self) -> bool:
        return self.file.state in OPEN_STATES

    @property
    def needs_model(self) -> bool:
        return self.is_open and self.file.reason == NEEDS_MODEL

    @property
    def words(self) -> str:
        return "Waits for a model" if self.needs_model else STATE_WORDS[FileState(self.file.state)]

    @property
    def may_remove(self) -> bool:
        return self.may_give or self.file.audience_person_id is not None

    @property
    def format(self) -> str:
        return ending_of(self.file.name).upper()

    @property
    def pieces(self) -> str:
        total = self.file.chunks_total
        return f"{self.file.chunks_done} of {total} piece{'' if total == 1 else 's'}" if total else ""


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        return _upload(request, actor)
    agents, wanted = list(list_agents(actor)), number(request.GET.get("agent"))
    newest = queries.latest_by_agent(actor)
    usual = max(agents, key=lambda each: newest.get(each.pk, 0), default=None)
    agent = next((each for each in agents if each.pk == wanted), usual)
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in FILTERS else ""
    before = number(request.GET.get("before")) or None
    found: list[IngestedFile] = []
    if agent is not None:
        found = queries.list_files(
            actor, agent.pk, states=FILTERS[chosen][1], before_id=before, limit=PAGE + 1
        )
    return render(
        request,
        "memory/files.html",
        {
            "agents": agents,
            "agent": agent,
            "rows": [_row(actor, file) for file in found[:PAGE]],
            "before": found[PAGE - 1].pk if len(found) > PAGE else "",
            "is_continued": before is not None,
            "filters": [(key, words) for key, (words, _) in FILTERS.items()],
            "chosen": chosen,
            "may_give": actor.has_level(services.LEAST_ROLE),
            "most_bytes": store.MAX_BYTES,
            "most_mb": store.MAX_BYTES // 1024 // 1024,
            "endings": sorted(FORMATS),
            "waiting": len(memory_queries.list_inbox(actor)),
        },
    )


def _upload(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take the files of a form that was sent without the page's script."""
    agent_id = number(request.POST.get("agent"))
    audience = request.POST.get("audience", "")
    try:
        if audience not in ("organization", "person"):
            raise InvalidInput("Choose who may hear what it teaches.", field="audience")
        given = request.FILES.getlist("file")
        if not given:
            raise InvalidInput("Choose a file first.", field="file")
        for file in given:
            accepted = services.accept_upload(
                actor, agent_id, file.name or "", file,
                audience=cast(Literal["organization", "person"], audience),
            )  # fmt: skip
            known = "" if accepted.created else " was given before and is not read again."
            messages.success(request, f"{accepted.file.name}{known or ' waits for its turn.'}")
    except AccountsError as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('memory_files')}?agent={agent_id}" if agent_id else "memory_files")


@page()
def one(request: HttpRequest, actor: Actor, file_id: int) -> HttpResponse:
    """Show a file: as a page, in the drawer, as a line of the list, or the question before it is removed."""
    file = queries.get_file(actor, file_id)
    if request.method == "POST":
        return _change(request, actor, file)
    shown: dict[str, Any] = {"row": _row(actor, file)}
    part = request.GET.get("part", "")
    if part == "row":
        return render(request, "memory/file_row.html", shown)
    if part == "remove":
        return dialog(request, "memory/file_remove.html", "Remove this file", shown)
    shown["taught"] = list_memories(actor, Wanted(file_id=file.pk), limit=TAUGHT_SHOWN)
    if wants_fragment(request):
        return render(request, "memory/file_drawer.html", shown)
    return render(request, "memory/file.html", {**shown, "waiting": len(memory_queries.list_inbox(actor))})


def _change(request: HttpRequest, actor: Actor, file: IngestedFile) -> HttpResponse:
    act = request.POST.get("act")
    try:
        if act == "retry":
            services.retry_file(actor, file.pk)
            done = f"{file.name} is tried again."
        elif act == "remove":
            forget = request.POST.get("forget") == "1"
            count = remove_file(actor, file.pk, forget=forget)
            kept = f" {count} memor{'y was' if count == 1 else 'ies were'} forgotten." if forget else ""
            done = f"{file.name} was removed.{kept}"
        else:
            raise InvalidInput("There is no such action.")
    except AccountsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect(f"{reverse('memory_files')}?agent={file.agent_id}")


def _row(actor: Actor, file: IngestedFile) -> Row:
    return Row(file, actor.has_level(services.LEAST_ROLE), actor.has_level(Role.ADMIN))
