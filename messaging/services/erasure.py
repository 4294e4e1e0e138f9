"""Erasing what a person said. The messages keep their places in their conversations, without words."""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from messaging.models import Message

ERASED = "[erased]"


def erase_messages_of(organization_id: int, person_id: int) -> int:
    """Empty the person's messages and drop the stored events that repeat them; return how many messages that were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM realtime_event WHERE organization_id = %s AND kind = 'message.created'"
            " AND (payload #>> '{message,person_id}')::bigint = %s",
            [organization_id, person_id],
        )
    return _words_of(organization_id, person_id).update(
        text=ERASED, author_name="Erased", metadata={}, person=None
    )


def count_messages_of(organization_id: int, person_id: int) -> int:
    return _words_of(organization_id, person_id).count()


def _words_of(organization_id: int, person_id: int) -> QuerySet[Message]:
    return Message.objects.filter(organization_id=organization_id, person_id=person_id)
