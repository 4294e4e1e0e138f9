"""Erasing what a person said. The messages keep their places in their conversations, without words."""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from messaging.models import Conversation, Message
from messaging.text import make_title

ERASED = "[erased]"


def erase_messages_of(organization_id: int, person_id: int) -> int:
    """Empty the person's messages; titles and stored events that repeat them go too. Return how many messages it were."""
    said = _words_of(organization_id, person_id)
    _erase_titles(
        organization_id,
        [(m.conversation_id, make_title(m.text)) for m in said.only("conversation_id", "text")],
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM realtime_event WHERE organization_id = %s AND kind = 'message.created'"
            " AND (payload #>> '{message,person_id}')::bigint = %s",
            [organization_id, person_id],
        )
    return _words_of(organization_id, person_id).update(
        text=ERASED, author_name="Erased", metadata={}, person=None
    )


def _erase_titles(organization_id: int, titles: list[tuple[int, str]]) -> None:
    """A conversation that nobody named bears the beginning of its first message."""
    named = set(titles)
    rooms = Conversation.objects.filter(organization_id=organization_id, pk__in={room for room, _ in named})
    untitled = [room.pk for room in rooms if (room.pk, room.title) in named]
    Conversation.objects.filter(pk__in=untitled).update(title="")
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM realtime_event WHERE organization_id = %s AND kind = 'conversation.changed'"
            " AND conversation_id = ANY (%s)",
            [organization_id, untitled],
        )


def count_messages_of(organization_id: int, person_id: int) -> int:
    return _words_of(organization_id, person_id).count()


def _words_of(organization_id: int, person_id: int) -> QuerySet[Message]:
    return Message.objects.filter(organization_id=organization_id, person_id=person_id)
