"""The chat pages: the list, one conversation, and what a reader asks for while reading."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import NotFound
from agents.processes.cortex_chat import is_cortex_chat
from agents.queries import list_agents
from llm.queries import list_models
from messaging.models import Conversation, Participant
from messaging.queries import get_conversation, get_message
from messaging.services.conversations import mark_read
from spacebot_site.web import conversation_list as listing
from spacebot_site.web import cortex, timeline
from spacebot_site.web.approval_words import describe
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import number
from spacebot_site.web.message_parts import quote_of
from tasks.models import Approval
from tasks.queries.approvals import list_approvals

SUGGESTIONS = (
    ("message-square", "Say hello", "Hello! What can you do?"),
    ("hammer", "Have a file written", "Write a file notes.txt saying hi"),
    ("git-branch", "Think something through", "Think about how a small team should plan its week"),
)
REACTIONS = ("👍", "❤️", "🎉", "😄", "👀", "🙏", "✅", "❌")


@require_GET
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    return render(request, "chat/index.html", listing.load(actor, archived="archived" in request.GET))


@require_GET
@page()
def conversation_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Answer the list alone, for searches, for more of it and for what changed meanwhile."""
    shown = listing.load(
        actor,
        archived="archived" in request.GET,
        search=request.GET.get("q", "")[:200],
        opened=number(request.GET.get("open")) or None,
        pages=number(request.GET.get("pages")),
    )
    return render(request, "chat/list.html", shown)


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
        mark_read(actor, found.pk, seq=found.last_seq)
    return render(
        request,
        "chat/conversation.html",
        {
            **listing.load(actor, opened=found.pk, agents=agents),
            "conversation": found,
            "title": listing.title_of(found, agents),
            "agent": agents[found.agent_id],
            "own_model": _own_model(actor, found),
            "participants": participants,
            "timeline": shown,
            "first_unread": first_unread,
            "me": mine.person,
            "waiting": describe(actor, _waiting_here(actor, found.pk), agents),
            "here": request.path,
            "suggestions": cortex.SUGGESTIONS if is_cortex_chat(found) else SUGGESTIONS,
            "emojis": REACTIONS,
        },
    )


def _waiting_here(actor: Actor, conversation_id: int) -> list[Approval]:
    """Return what waits for a person in a conversation; a proposed schedule has its card among the messages."""
    rows = list_approvals(actor, state="open", conversation_id=conversation_id, limit=20)
    return [row for row in rows if row.schedule_id is None][:10]


@require_GET
@page()
def older(request: HttpRequest, actor: Actor, conversation_id: int, seq: int) -> HttpResponse:
    found = get_conversation(actor, conversation_id)
    shown = timeline.load(actor, found, before_seq=seq)
    return render(request, "chat/older.html", {"conversation": found, "timeline": shown})


@require_GET
@page()
def quote(request: HttpRequest, actor: Actor, conversation_id: int, message_id: int) -> HttpResponse:
    """Answer how a message is quoted that the page has not loaded."""
    message = get_message(actor, message_id)
    if message.conversation_id != conversation_id:
        raise NotFound("There is no such message here.")
    return render(request, "chat/quote.html", {"quote": quote_of(message)})


def _own_model(actor: Actor, found: Conversation) -> Any:
    """Return the model chosen for this conversation, if one is; a removed one counts for nothing."""
    chosen = found.settings.get("model")
    return list_models(actor).filter(pk=chosen).first() if chosen else None


def _first_unread(items: list[dict[str, Any]], mine: Participant) -> int | None:
    """Return the place of the first message not read before, if there was one read and one not."""
    if mine.last_read_seq == 0:
        return None
    for item in items:
        message = item.get("message")
        if message and message["seq"] > mine.last_read_seq:
            return int(message["seq"])
    return None
