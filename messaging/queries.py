"""Reads. Whoever asks sees the conversations they take part in, whatever their role."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from messaging.models import Conversation, Message, Participant

MAX_PAGE = 200
MOST_UNREAD = 100
MAX_SEARCH_LENGTH = 200


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
    if words := _clean_search(search):
        found = found.filter(_matches(actor, words))
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


def get_message(actor: Actor, message_id: int) -> Message:
    mine = Message.objects.filter(organization=actor.organization, pk=message_id)
    message = mine.filter(conversation__in=conversations_of(actor)).first()
    if message is None:
        raise NotFound("There is no such message.")
    return message


def list_participants(actor: Actor, conversation: Conversation) -> list[Participant]:
    get_conversation(actor, conversation.pk)
    return list(conversation.participants.select_related("person").order_by("joined_at", "id"))


_UNREAD = """
SELECT p.conversation_id, (
    SELECT count(*) FROM (
        SELECT 1 FROM messaging_message AS m
        WHERE m.conversation_id = p.conversation_id AND m.seq > p.last_read_seq
          AND m.person_id IS DISTINCT FROM p.person_id
        LIMIT %(most)s) AS unread)
FROM messaging_participant AS p JOIN accounts_person AS who ON who.id = p.person_id
WHERE p.organization_id = %(organization_id)s AND who.user_id = %(user_id)s
  AND p.conversation_id = ANY(%(conversation_ids)s)
"""


def count_unread(actor: Actor, conversation_ids: Iterable[int]) -> dict[int, int]:
    """Return how many messages of others the actor has not read, for each conversation they take part in.

    Counting stops at MOST_UNREAD, which so means "that many or more".
    """
    values: dict[str, int | list[int]] = {
        "most": MOST_UNREAD,
        "organization_id": actor.organization.pk,
        "user_id": actor.user.pk,
        "conversation_ids": list(conversation_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_UNREAD, values)
        return dict(cursor.fetchall())


def _clean_search(search: str) -> str:
    """Return what of the search can be looked for at all."""
    return search[:MAX_SEARCH_LENGTH].replace("\x00", " ").encode("utf-8", "ignore").decode().strip()


def _matches(actor: Actor, words: str) -> Q:
    """Match conversations by title or by message text; the latter through the index `message_words`."""
    title = Q()
    for word in words.split():
        title &= Q(title__icontains=word)
    terms = re.findall(r"\w+", words)
    if not terms:
        return title
    query = SearchQuery(" & ".join(f"'{term}':*" for term in terms), search_type="raw", config="simple")
    hits = Message.objects.filter(organization=actor.organization).alias(
        words=SearchVector("text", config="simple")
    )
    hits = hits.filter(words=query)
    return title | Q(pk__in=hits.values("conversation_id"))


def _page(limit: int) -> int:
    return max(1, min(limit, MAX_PAGE))
