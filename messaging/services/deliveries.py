"""Putting an outbound message into the outbox, cut into what its platform takes."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from messaging.adapters.registry import ADAPTERS, get_adapter_class
from messaging.chunking import split
from messaging.models import Delivery, Message

LONGEST_NUDGE_DELAY_S = 60.0
DELIVERED_BY_EVENT = frozenset(
    name for name, adapter in ADAPTERS.items() if adapter.capabilities.delivered_by_event
)


def queue_chunks(message: Message, *, platform: str) -> None:
    """Store one pending delivery per chunk and one per file; after the commit, nudge the first."""
    limits = get_adapter_class(platform).capabilities
    parts: list[tuple[str, int | None]] = [
        (text, None) for text in split(message.text, limit=limits.text_limit, unit=limits.text_unit)
    ]
    parts += [("", file["id"]) for file in message.metadata.get("attachments", ())]
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            organization_id=message.organization_id,
            message=message,
            chunk=number,
            text=text,
            attachment_id=attachment_id,
            key=f"{message.key}/{number}",
            next_attempt_at=message.created_at,
        )
        for number, (text, attachment_id) in enumerate(parts)
    )
    transaction.on_commit(partial(nudge, deliveries[0].pk), robust=True)


def nudge(delivery_id: int, *, delay_s: float = 0) -> None:
    """Ask a worker to look at the delivery. A nudge that is lost, or far off, is made up for by the sweeper."""
    from messaging.jobs import deliver

    if delay_s <= LONGEST_NUDGE_DELAY_S:
        deliver.apply_async((delivery_id,), countdown=delay_s, retry=False)
