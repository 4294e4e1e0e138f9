"""Storing what was said. The hottest writes of the system: one statement each, whatever the platform.

Each function joins the caller's unit of work, so that a message, its event and what it causes commit together.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.errors import InvalidInput, NotFound
from accounts.models import Person
from messaging.models import Conversation, Direction, Handling, Message
from messaging.payloads import conversation_payload, message_payload
from messaging.services import egress
from messaging.services.deliveries import DELIVERED_BY_EVENT, queue_chunks
from messaging.services.mentions import tell_mentioned
from messaging.text import check_text, clean_reply, make_title
from realtime.services import NewEvent, record, unit_of_work
from secret_store.scrubbing.rolling import LONGEST_BEFORE
from secret_store.shields import Shield

# What the author said last is read along, for a secret may begin there; see `egress.scrub_further`.
# The row lock of the conversation orders its messages. The NOT EXISTS sees what was committed before this
# statement began; a twin that committed while it waited for the lock is caught by ON CONFLICT. The scalar
# subquery in RETURNING reads the statement's snapshot, that is, the row before the update.
_APPEND = """
WITH bumped AS (
    UPDATE messaging_conversation AS c
    SET last_seq = c.last_seq + 1,
        last_message_at = GREATEST(c.last_message_at, %(now)s),
        title = CASE WHEN c.title = '' THEN %(title)s ELSE c.title END,
        archived_at = CASE WHEN %(handling)s = 'ignored' THEN c.archived_at END
    WHERE c.id = %(conversation_id)s AND NOT EXISTS (
        SELECT 1 FROM messaging_message AS m
        WHERE (m.conversation_id = c.id AND m.external_id = %(external_id)s) OR m.key = %(key)s)
    RETURNING c.id, c.organization_id, c.last_seq, c.account_id,
        (SELECT (o.archived_at IS NOT NULL AND %(handling)s <> 'ignored') OR (o.title = '' AND %(title)s <> '')
         FROM messaging_conversation AS o WHERE o.id = c.id) AS changed
), inserted AS (
    INSERT INTO messaging_message (
        organization_id, conversation_id, seq, direction, person_id, author_name, text, external_id, key,
        reply_to_id, metadata, run_id, handling, handled_by_run_id, handling_reason, created_at)
    SELECT b.organization_id, b.id, b.last_seq, %(direction)s, %(person_id)s, %(author_name)s, %(text)s,
        %(external_id)s, %(key)s,
        (SELECT r.id FROM messaging_message AS r WHERE r.id = %(reply_to_id)s AND r.conversation_id = b.id),
        %(metadata)s::jsonb, %(run_id)s, %(handling)s, NULL, %(reason)s, %(now)s
    FROM bumped AS b
    ON CONFLICT DO NOTHING
    RETURNING id, organization_id, reply_to_id
), delivered AS (
    INSERT INTO messaging_delivery (
        organization_id, message_id, chunk, text, state, key, attempts, platform_id, error, created_at, finished_at)
    SELECT i.organization_id, i.id, 0, '', 'delivered', %(key)s, 1, i.id::text, '', %(now)s, %(now)s
    FROM inserted AS i, bumped AS b JOIN messaging_platformaccount AS a ON a.id = b.account_id
    WHERE %(direction)s = 'out' AND a.platform = ANY(%(delivered_by_event)s)
)
SELECT i.id, b.organization_id, b.last_seq, b.changed, i.reply_to_id,
    (SELECT a.platform FROM messaging_platformaccount AS a WHERE a.id = b.account_id),
    (SELECT string_agg(right(s.text, %(looked_back)s), '' ORDER BY s.seq) FROM (
        SELECT m.text, m.seq FROM messaging_message AS m
        WHERE %(direction)s = 'out' AND m.direction = 'out' AND m.author_name = %(author_name)s
            AND m.conversation_id = b.id AND m.seq BETWEEN b.last_seq - 50 AND b.last_seq - 1
        ORDER BY m.seq DESC LIMIT 4) AS s)
FROM bumped AS b LEFT JOIN inserted AS i ON true
"""


def append_inbound(
    conversation_id: int,
    *,
    person: Person | None,
    author_name: str,
    text: str,
    external_id: str | None = None,
    reply_to_id: int | None = None,
    metadata: dict[str, Any] | None = None,
    handling: Handling = Handling.UNANSWERED,
    reason: str = "",
) -> tuple[Message, bool]:
    """Store what a person said and record `message.created`; return the message and whether it is new.

    A second call with the same `external_id` returns the first message and uses no sequence number. A new
    message brings an archived conversation back, and the first one gives it a title; an ignored one does neither.
    A refusal inside the caller's unit of work fails the whole unit.
    """
    text = check_text(text)
    if external_id is not None and not 0 < len(external_id) <= 200:
        raise InvalidInput("An external id has 1 to 200 characters.", field="external_id")
    message = Message(
        conversation_id=conversation_id,
        direction=Direction.INBOUND,
        person=person,
        author_name=author_name[:120],
        text=text,
        external_id=external_id,
        reply_to_id=reply_to_id,
        metadata=metadata or {},
        handling=handling,
        handling_reason=reason[:300],
        created_at=timezone.now(),
    )
    with unit_of_work(savepoint=False):
        platform = _append(message, title=make_title(text) if handling != Handling.IGNORED else "")
        if platform is None:
            return _first(message), False
        if handling != Handling.IGNORED:
            tell_mentioned(message)
        return message, True


def append_outbound(
    conversation_id: int,
    *,
    run_id: int | None,
    author_name: str,
    text: str,
    key: str,
    reply_to_id: int | None = None,
    metadata: dict[str, Any] | None = None,
    shield: Shield | None = None,
) -> Message:
    """Store what an agent says, with its deliveries, and record `message.created`.

    Secrets are taken out here, whoever calls, also one that began in what the author said before; `shield` is that of
    the agent, where the caller has looked at it.

    `key` makes the call repeatable: a second one returns the first message and writes nothing. In web chat the
    stored event is the delivery; for a network platform the chunks are queued and sent after the commit.
    """
    if not 0 < len(key) <= 70:
        raise InvalidInput("A key has 1 to 70 characters.", field="key")
    shield = shield or egress.shield_of(conversation_id)
    text, metadata = egress.scrub(shield, clean_reply(text), metadata or {})
    message = Message(
        conversation_id=conversation_id,
        direction=Direction.OUTBOUND,
        run_id=run_id,
        author_name=author_name[:120],
        text=text,
        key=key,
        reply_to_id=reply_to_id,
        metadata=metadata,
        handling=Handling.NOT_NEEDED,
        created_at=timezone.now(),
    )
    with unit_of_work(savepoint=False):
        platform = _append(message, shield=shield)
        if platform is None:
            return _first(message)
        if platform not in DELIVERED_BY_EVENT:
            queue_chunks(message, platform=platform)
        tell_mentioned(message)
    return message


def mark_handled(message_ids: Collection[int], *, handling: Handling, run_id: int, reason: str = "") -> int:
    """Say what became of inbound messages that are unanswered; return how many were.

    One that was settled before keeps its mark.
    """
    if not message_ids:
        return 0
    with unit_of_work(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_message SET handling = %s, handled_by_run_id = %s, handling_reason = %s"
            " WHERE id = ANY(%s) AND direction = 'in' AND handling = 'unanswered'"
            " RETURNING organization_id, conversation_id, id",
            [handling, run_id, reason[:300], list(message_ids)],
        )
        marked: dict[tuple[int, int], list[int]] = {}
        for organization_id, conversation_id, message_id in cursor.fetchall():
            marked.setdefault((organization_id, conversation_id), []).append(message_id)
        for (organization_id, conversation_id), ids in marked.items():
            _record_handled(organization_id, conversation_id, sorted(ids), handling)
    return sum(len(ids) for ids in marked.values())


def _append(message: Message, *, title: str = "", shield: Shield | None = None) -> str | None:
    """Insert the message at the conversation's next place; return the platform, or None if it exists already."""
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, _parameters(message, title))
        row: tuple[int | None, int, int, bool, int | None, str, str | None] | None = cursor.fetchone()
        if row is None:
            return None
        message_id, organization_id, seq, changed, reply_to_id, platform, before = row
        if message_id is None:
            # A twin committed while we waited for the lock, which we hold now: give its number back.
            cursor.execute(
                "UPDATE messaging_conversation SET last_seq = last_seq - 1 WHERE id = %s",
                [message.conversation_id],
            )
            return None
    if message.reply_to_id is not None and reply_to_id is None:
        raise InvalidInput("The message replied to is not in this conversation.", field="reply_to_id")
    message.pk, message.organization_id, message.seq = message_id, organization_id, seq
    message._state.adding, message._state.db = False, connection.alias
    if shield is not None and before and egress.scrub_further(shield, before, message):
        message.save(update_fields=["text", "metadata"])
    events = [NewEvent("message.created", {"message": message_payload(message)}, message.conversation_id)]
    if changed:
        conversation = Conversation.objects.get(pk=message.conversation_id)
        events.append(
            NewEvent(
                "conversation.changed", {"conversation": conversation_payload(conversation)}, conversation.pk
            )
        )
    record(organization_id, *events)
    return platform


def _parameters(message: Message, title: str) -> dict[str, Any]:
    now: datetime = message.created_at
    return {
        "now": now,
        "title": title,
        "conversation_id": message.conversation_id,
        "external_id": message.external_id,
        "key": message.key,
        "direction": str(message.direction),
        "person_id": message.person_id,
        "author_name": message.author_name,
        "text": message.text,
        "reply_to_id": message.reply_to_id,
        "metadata": json.dumps(message.metadata),
        "run_id": message.run_id,
        "handling": str(message.handling),
        "reason": message.handling_reason,
        "delivered_by_event": list(DELIVERED_BY_EVENT),
        "looked_back": LONGEST_BEFORE,
    }


def _first(message: Message) -> Message:
    """Return the message that was stored first under this external id or key."""
    found = Message.objects.filter(conversation_id=message.conversation_id)
    if message.key is not None:
        first = found.filter(key=message.key).first()
    else:
        first = found.filter(external_id=message.external_id).first() if message.external_id else None
    if first is None:
        raise NotFound("There is no such conversation.")
    return first


def _record_handled(organization_id: int, conversation_id: int, ids: list[int], handling: Handling) -> None:
    record(
        organization_id, NewEvent("message.handled", {"ids": ids, "handling": str(handling)}, conversation_id)
    )
