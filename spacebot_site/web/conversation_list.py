"""The list of conversations: beside the thread, and the newest of them on the home page."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from accounts.actor import Actor
from agents.models import Agent
from agents.queries import list_agents
from messaging.models import Conversation, Message
from messaging.queries import MAX_PAGE, MOST_UNREAD, count_unread, list_conversations

PAGE = 100
MOST_PAGES = 20
Agents = dict[int, Agent]


def load(
    actor: Actor,
    *,
    archived: bool = False,
    search: str = "",
    opened: int | None = None,
    pages: int = 1,
    agents: Agents | None = None,
) -> dict[str, Any]:
    """Return what the list beside the thread shows: three queries, one less when given the agents."""
    agents = agents or {agent.pk: agent for agent in list_agents(actor)}
    pages = max(1, min(pages, MOST_PAGES))
    found = _read(actor, archived=archived, search=search, wanted=pages * PAGE + 1)
    more = len(found) > pages * PAGE and pages < MOST_PAGES
    return {
        "conversations": rows(actor, found[: pages * PAGE], agents, opened=opened),
        "archived": archived,
        "search": search,
        "opened": opened,
        "next_pages": pages + 1 if more else None,
    }


def rows(
    actor: Actor, found: list[Conversation], agents: Agents, *, opened: int | None = None
) -> list[dict[str, Any]]:
    """Return each conversation with its agent, when something was said last and how much is unread; one query."""
    unread = count_unread(actor, [each.pk for each in found])
    return [
        {
            "conversation": each,
            "title": title_of(each, agents),
            "agent": agents.get(each.agent_id),
            "at": each.last_message_at or each.created_at,
            "unread": "" if each.pk == opened else _count(unread.get(each.pk, 0)),
        }
        for each in found
    ]


def title_of(found: Conversation, agents: Agents) -> str:
    if found.title:
        return found.title
    agent = agents.get(found.agent_id)
    return f"Chat with {agent.name}" if agent else "Conversation"


def last_messages(found: list[Conversation]) -> dict[int, Message]:
    """Return what was said last in each of these, which the actor was let into; one query."""
    ids = [each.pk for each in found]
    newest = Message.objects.filter(conversation__in=ids, seq=F("conversation__last_seq"))
    return {message.conversation_id: message for message in newest}


def _read(actor: Actor, *, archived: bool, search: str, wanted: int) -> list[Conversation]:
    found: list[Conversation] = []
    while len(found) < wanted:
        size = min(MAX_PAGE, wanted - len(found))
        before = found[-1].last_message_at if found else None
        page = list_conversations(actor, archived=archived, search=search, before=before, limit=size)
        found += page
        if len(page) < size:
            break
    return found


def _count(unread: int) -> str:
    if not unread:
        return ""
    return f"{MOST_UNREAD - 1}+" if unread >= MOST_UNREAD else str(unread)
