"""The chat pages: the list, one conversation, a new one, and what is changed about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from accounts.queries import list_members
from agents.queries import get_agent, list_agents
from messaging.models import Conversation, ConversationKind, Participant
from messaging.queries import get_conversation, list_conversations, list_participants
from messaging.services import conversations as services
from spacebot_site.web import timeline
from spacebot_site.web.door import page, wants_fragment


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    archived = "archived" in request.GET
    return render(request, "chat/index.html", _list(request, actor, archived=archived))


@require_GET
@page()
def conversation_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Answer the list alone, for searches and for what changed meanwhile."""
    opened = request.GET.get("open", "")
    return render(
        request,
        "chat/list.html",
        _list(
            request,
            actor,
            archived="archived" in request.GET,
            search=request.GET.get("q", "")[:200],
            opened=int(opened) if opened.isdecimal() else None,
        ),
    )


@require_GET
@page()
def conversation(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    found = get_conversation(actor, conversation_id)
    participants = list(found.participants.select_related("person").order_by("joined_at", "id"))
    agents = {agent.pk: agent for agent in list_agents(actor)}
    mine = next(each for each in participants if each.person.user_id == actor.user.pk)
    shown = timeline.load(actor, found)
    first_unread = _first_unread(shown.items, mine)
    if mine.last_read_seq < found.last_seq and not wants_fragment(request):
        services.mark_read(actor, found.pk, seq=found.last_seq)
    return render(
        request,
        "chat/conversation.html",
        {
            **_list(request, actor, archived=False, opened=found.pk, agents=agents),
            "conversation": found,
            "title": _title(found, agents),
            "agent": agents[found.agent_id],
            "participants": participants,
            "timeline": shown,
            "first_unread": first_unread,
            "me": mine.person,
            "suggestions": SUGGESTIONS,
        },
    )


SUGGESTIONS = (
    ("message-square", "Say hello", "Hello! What can you do?"),
    ("hammer", "Have a file written", "Write a file notes.txt saying hi"),
    ("git-branch", "Think something through", "Think about how a small team should plan its week"),
)


@require_GET
@page()
def older(request: HttpRequest, actor: Actor, conversation_id: int, seq: int) -> HttpResponse:
    found = get_conversation(actor, conversation_id)
    shown = timeline.load(actor, found, before_seq=seq)
    return render(request, "chat/older.html", {"conversation": found, "timeline": shown})


@page()
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the form for a new conversation, or start it."""
    problem = ""
    if request.method == "POST":
        try:
            started = _start(request, actor)
        except AccountsError as error:
            problem = str(error)
        else:
            return redirect("conversation", conversation_id=started.pk)
    template = "chat/new_form.html" if wants_fragment(request) else "chat/new.html"
    people = [member for member in list_members(actor) if member.user_id != actor.user.pk]
    agents = [agent for agent in list_agents(actor) if agent.enabled]
    return render(
        request, template, {"agents": agents, "people": people, "problem": problem, "values": request.POST}
    )


def _start(request: HttpRequest, actor: Actor) -> Conversation:
    agent = request.POST.get("agent", "")
    if not agent.isdecimal():
        raise InvalidInput("Choose an agent.", field="agent")
    get_agent(actor, int(agent))
    people = [int(each) for each in request.POST.getlist("people") if each.isdecimal()]
    return services.start_conversation(
        actor,
        agent_id=int(agent),
        kind=ConversationKind.GROUP if people or request.POST.get("kind") == "group" else ConversationKind.DM,
        title=request.POST.get("title", "").strip(),
        user_ids=people,
    )


@page()
def rename(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    found = get_conversation(actor, conversation_id)
    if request.method == "POST":
        try:
            services.rename(actor, found.pk, title=request.POST.get("title", "").strip())
        except AccountsError as error:
            notices.error(request, str(error))
        return redirect("conversation", conversation_id=found.pk)
    template = "chat/rename_form.html" if wants_fragment(request) else "chat/rename.html"
    return render(request, template, {"conversation": found})


@require_POST
@page()
def archive(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    found = get_conversation(actor, conversation_id)
    if found.archived_at:
        services.unarchive(actor, found.pk)
        return redirect("conversation", conversation_id=found.pk)
    services.archive(actor, found.pk)
    return redirect("chat")


@page()
def invite(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    """Add people to a shared conversation."""
    found = get_conversation(actor, conversation_id)
    if request.method == "POST":
        try:
            for each in request.POST.getlist("people"):
                if each.isdecimal():
                    services.add_participant(actor, found.pk, user_id=int(each))
        except AccountsError as error:
            notices.error(request, str(error))
        return redirect("conversation", conversation_id=found.pk)
    inside = {each.person.user_id for each in list_participants(actor, found)}
    people = [member for member in list_members(actor) if member.user_id not in inside]
    template = "chat/invite_form.html" if wants_fragment(request) else "chat/invite.html"
    return render(request, template, {"conversation": found, "people": people})


def _list(
    request: HttpRequest,
    actor: Actor,
    *,
    archived: bool,
    search: str = "",
    opened: int | None = None,
    agents: dict[int, Any] | None = None,
) -> dict[str, Any]:
    """Return what the list beside the thread shows; two queries, three with the agents."""
    agents = agents or {agent.pk: agent for agent in list_agents(actor)}
    found = list_conversations(actor, archived=archived, search=search, limit=100)
    behind = dict(
        Participant.objects.filter(
            conversation__in=[each.pk for each in found],
            person__user=actor.user,
            conversation__last_seq__gt=F("last_read_seq"),
        ).values_list("conversation_id", F("conversation__last_seq") - F("last_read_seq"))
    )
    rows = [
        {
            "conversation": each,
            "title": _title(each, agents),
            "agent": agents.get(each.agent_id),
            "at": each.last_message_at or each.created_at,
            "unread": 0 if each.pk == opened else behind.get(each.pk, 0),
        }
        for each in found
    ]
    return {
        "conversations": rows,
        "archived": archived,
        "search": search,
        "opened": opened,
    }


def _title(found: Conversation, agents: dict[int, Any]) -> str:
    if found.title:
        return found.title
    agent = agents.get(found.agent_id)
    return f"Chat with {agent.name}" if agent else "Conversation"


def _first_unread(items: list[dict[str, Any]], mine: Participant) -> int | None:
    """Return the place of the first message not read before, if there was one read and one not."""
    if mine.last_read_seq == 0:
        return None
    for item in items:
        message = item.get("message")
        if message and message["seq"] > mine.last_read_seq:
            return int(message["seq"])
    return None
