"""Sending what is in the outbox: each chunk in its turn, by one worker at a time, until it has one result.

A chunk is claimed by one conditional UPDATE with a lease, sent without a transaction or a database connection,
and recorded. If the process dies between sending and recording, the lease runs out and the chunk is sent again
with the same key: a platform that knows keys shows it once; any other may show it twice (docs/adapters.md).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.boundaries import reach
from accounts.database import release_connection
from accounts.errors import InvalidInput, NotFound
from accounts.logs import get_logger
from messaging.adapters.base import Adapter, SentChunk, Target
from messaging.attachments.store import outbound_file
from messaging.errors import DeliveryError, Unsupported
from messaging.models import Delivery, DeliveryState, Message
from messaging.services.accounts import make_adapter
from messaging.services.deliveries import nudge
from realtime.services import NewEvent, record, unit_of_work

LEASE_S = 90
MAX_ATTEMPTS = 12
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 300.0
LONGEST_RETRY_AFTER_S = 3600.0
SWEEP_LIMIT = 500

log = get_logger(__name__)

# Everything before it in the conversation must have a result, or people read an answer out of order.
_CLAIM = """
UPDATE messaging_delivery AS d
SET state = 'sending', attempts = d.attempts + 1, leased_until = %(leased_until)s
FROM messaging_message AS m
WHERE d.id = %(delivery_id)s AND m.id = d.message_id
  AND ((d.state = 'pending' AND d.next_attempt_at <= %(now)s) OR (d.state = 'sending' AND d.leased_until < %(now)s))
  AND NOT EXISTS (
    SELECT 1 FROM messaging_delivery AS e JOIN messaging_message AS em ON em.id = e.message_id
    WHERE em.conversation_id = m.conversation_id AND e.state IN ('pending', 'sending')
      AND (em.seq, e.chunk) < (m.seq, d.chunk))
RETURNING d.attempts
"""

# The head of each conversation's queue, where its time has come or its worker's lease ran out.
_DUE = """
SELECT id FROM (
    SELECT DISTINCT ON (m.conversation_id) d.id,
        CASE d.state WHEN 'pending' THEN d.next_attempt_at ELSE d.leased_until END AS due_at
    FROM messaging_delivery AS d JOIN messaging_message AS m ON m.id = d.message_id
    WHERE d.state IN ('pending', 'sending') ORDER BY m.conversation_id, m.seq, d.chunk) AS heads
WHERE due_at < %s ORDER BY due_at LIMIT %s
"""

_NEXT = """
SELECT d.id FROM messaging_delivery AS d JOIN messaging_message AS m ON m.id = d.message_id
WHERE m.conversation_id = %s AND d.state IN ('pending', 'sending') ORDER BY m.seq, d.chunk LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class _Claim:
    delivery: Delivery
    attempt: int


def deliver(delivery_id: int) -> None:
    """Send this chunk if its turn has come, then those behind it in the conversation."""
    next_id: int | None = delivery_id
    while next_id is not None:
        claim = _claim(next_id)
        if claim is None:
            return
        next_id = _send(claim)


def sweep() -> int:
    """Nudge chunks that are due or whose worker went away; return how many. Idle, it reads one empty index."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [timezone.now(), SWEEP_LIMIT])
        due: list[int] = [row[0] for row in cursor.fetchall()]
    for delivery_id in due:
        nudge(delivery_id)
    return len(due)


def send_again(message: Message) -> int:
    """Put the parts of a message that were given up on back into the outbox; return how many. Their keys stay."""
    failed = Delivery.objects.filter(message=message, state=DeliveryState.FAILED)
    ids = list(failed.order_by("chunk").values_list("pk", flat=True))
    failed.update(
        state=DeliveryState.PENDING,
        attempts=0,
        next_attempt_at=timezone.now(),
        leased_until=None,
        error="",
        finished_at=None,
    )
    if ids:
        transaction.on_commit(partial(nudge, ids[0]), robust=True)
    return len(ids)


def _claim(delivery_id: int) -> _Claim | None:
    now = timezone.now()
    values: dict[str, int | datetime] = {
        "delivery_id": delivery_id,
        "now": now,
        "leased_until": now + timedelta(seconds=LEASE_S),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    if row is None:
        return None
    delivery = Delivery.objects.select_related(
        "message__conversation__account", "message__reply_to", "attachment"
    ).get(pk=delivery_id)
    return _Claim(delivery, row[0])


def _send(claim: _Claim) -> int | None:
    """Send the chunk and record the result; return the next chunk of the conversation, if it may be sent now."""
    delivery, message = claim.delivery, claim.delivery.message
    account = message.conversation.account
    logger = log.bind(delivery_id=delivery.pk, platform=account.platform, attempt=claim.attempt)
    try:
        if not account.enabled:
            raise DeliveryError("The platform account is switched off.", permanent=True)
        if claim.attempt > MAX_ATTEMPTS:
            raise DeliveryError("It was tried too often, without a result.", permanent=True)
        adapter = make_adapter(account)
        release_connection()
        reach("send.before")
        sent = _hand_over(adapter, delivery)
        reach("send.after")
        if not sent.platform_id:
            raise DeliveryError("The platform gave no id for the message.")
    except DeliveryError as error:
        failure = error
    except (Unsupported, NotFound, InvalidInput) as error:
        failure = DeliveryError(str(error), permanent=True)
    except Exception as error:
        logger.exception("delivery_crashed")
        failure = DeliveryError(f"The adapter failed unexpectedly ({type(error).__name__}).")
    else:
        _record_delivered(delivery, sent.platform_id)
        return _next_in(message.conversation_id)
    if not failure.permanent and claim.attempt < MAX_ATTEMPTS:
        _schedule_retry(claim, failure)
        logger.warning("delivery_postponed", reason=str(failure))
        return None
    _record_failed(claim, str(failure))
    logger.error("delivery_failed", reason=str(failure))
    return _next_in(message.conversation_id)


def _hand_over(adapter: Adapter, delivery: Delivery) -> SentChunk:
    if delivery.attachment is None:
        return adapter.send_text(_target(delivery), delivery.text, key=delivery.key)
    return adapter.send_file(_target(delivery), outbound_file(delivery.attachment), key=delivery.key)


def _target(delivery: Delivery) -> Target:
    """Address the conversation; only the first chunk is marked as an answer to a message."""
    message = delivery.message
    answered = message.reply_to if delivery.chunk == 0 else None
    return Target(message.conversation.external_id, answered.external_id if answered else None)


def _record_delivered(delivery: Delivery, platform_id: str) -> None:
    """Delivered is the truth whoever holds the lease by now; the first result stands."""
    Delivery.objects.filter(pk=delivery.pk, state__in=[DeliveryState.PENDING, DeliveryState.SENDING]).update(
        state=DeliveryState.DELIVERED,
        platform_id=platform_id[:200],
        leased_until=None,
        error="",
        finished_at=timezone.now(),
    )


def _schedule_retry(claim: _Claim, failure: DeliveryError) -> None:
    """Wait twice as long each time, with jitter, or as long as the platform asked."""
    delay_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (claim.attempt - 1)) * random.uniform(0.75, 1.25)
    if failure.retry_after_s is not None:
        delay_s = min(LONGEST_RETRY_AFTER_S, failure.retry_after_s) + random.uniform(0, 0.5)
    changed = _held(claim).update(
        state=DeliveryState.PENDING,
        next_attempt_at=timezone.now() + timedelta(seconds=delay_s),
        leased_until=None,
        error=str(failure),
    )
    if changed:
        nudge(claim.delivery.pk, delay_s=delay_s)


def _record_failed(claim: _Claim, reason: str) -> None:
    """Give up on the chunk and on the rest of its message, which would make no sense alone."""
    message = claim.delivery.message
    with unit_of_work():
        if not _held(claim).update(
            state=DeliveryState.FAILED, error=reason, leased_until=None, finished_at=timezone.now()
        ):
            return
        Delivery.objects.filter(
            message=message, chunk__gt=claim.delivery.chunk, state=DeliveryState.PENDING
        ).update(
            state=DeliveryState.FAILED, error=f"An earlier part failed: {reason}", finished_at=timezone.now()
        )
        record(
            message.organization_id,
            NewEvent(
                "delivery.failed", {"message_id": message.pk, "reason": reason}, message.conversation_id
            ),
        )


def _held(claim: _Claim) -> QuerySet[Delivery]:
    """Return the row while this attempt still holds it."""
    return Delivery.objects.filter(pk=claim.delivery.pk, state=DeliveryState.SENDING, attempts=claim.attempt)


def _next_in(conversation_id: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [conversation_id])
        row = cursor.fetchone()
    return row[0] if row else None
