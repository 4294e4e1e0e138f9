"""Reads. Whoever asks sees the conversations they take part in, whatever their role."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from messaging.models import Conversation, Message, Participant

MAX_PAGE = 200


def conversations_of(actor: Actor) -> QuerySet[Conversation]:
    """Return the conversations the actor takes part in."""
    mine = Participant.objects.filter(
        conversation=OuterRef("pk"), organization=actor.organization, person__user=actor.user
    )
    return Conversation.objects.filter(Exists(mine), organization=actor.organization)


def get_conversation(actor: Actor, conversation_id: int) -> Conversation:
    conversation = conversations_of(actor).filter(pk=conversation_id).first()
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


def can_read_conversation(user_id: int, conversation_id: int) -> bool:
    """Tell whether the user takes part in it and is still a member of its organization."""
    return Participant.objects.filter(
        conversation_id=conversation_id,
        person__user_id=user_id,
        person__user__is_active=True,
        organization__memberships__user_id=user_id,
    ).exists()


def list_conversations(
    actor: Actor,
    *,
    archived: bool = False,
    search: str = "",
    agent_id: int | None = None,
    before: datetime | None = None,
    limit: int = 50,
) -> list[Conversation]:
    """Return conversations, the one with the newest message first; `before` continues a page.

    `search` looks for its words, the last one as a beginning too, in titles and messages.
    """
    found = conversations_of(actor).filter(archived_at__isnull=not archived)
    if agent_id is not None:
        found = found.filter(agent_id=agent_id)
    if words := search.strip():
        found = found.filter(_matches(words))
    if before is not None:
        found = found.filter(last_message_at__lt=before)
    return list(found.order_by("-last_message_at", "-id")[: _page(limit)])


def list_messages(
    actor: Actor,
    conversation: Conversation,
    *,
    before_seq: int | None = None,
    after_seq: int | None = None,
    limit: int = 50,
) -> list[Message]:
    """Return messages in order: the newest, those just before `before_seq`, or those just after `after_seq`."""
    get_conversation(actor, conversation.pk)
    found = Message.objects.filter(conversation_id=conversation.pk)
    if before_seq is not None:
        found = found.filter(seq__lt=before_seq)
    if after_seq is not None:
        return list(found.filter(seq__gt=after_seq).order_by("seq")[: _page(limit)])
    return list(found.order_by("-seq")[: _page(limit)])[::-1]


def list_participants(actor: Actor, conversation: Conversation) -> list[Participant]:
    get_conversation(actor, conversation.pk)
    return list(conversation.participants.select_related("person").order_by("joined_at", "id"))


def count_unread(actor: Actor, conversation_ids: Iterable[int]) -> dict[int, int]:
    """Return how many messages of others the actor has not read, for each conversation they take part in."""
    counted = (
        Participant.objects.filter(
            conversation_id__in=list(conversation_ids),
            organization=actor.organization,
            person__user=actor.user,
        )
        .annotate(
            unread=Count(
                "conversation__messages",
                filter=Q(conversation__messages__seq__gt=F("last_read_seq"))
                & ~Q(conversation__messages__person=F("person")),
            )
        )
        .values_list("conversation_id", "unread")
    )
    return dict(counted)


def _matches(words: str) -> Q:
    """Match conversations by title or by message text; the latter through the index `message_words`."""
    title = Q()
    for word in words.split():
        title &= Q(title__icontains=word)
    terms = re.findall(r"\w+", words)
    if not terms:
        return title
    query = SearchQuery(" & ".join(f"'{term}':*" for term in terms), search_type="raw", config="simple")
    hits = Message.objects.alias(words=SearchVector("text", config="simple")).filter(words=query)
    return title | Q(pk__in=hits.values("conversation_id"))


def _page(limit: int) -> int:
    return max(1, min(limit, MAX_PAGE))
