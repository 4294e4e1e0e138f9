"""Nudges to look at the outbox."""

from __future__ import annotations

from celery import shared_task

from messaging.attachments import upkeep
from messaging.services import outbox


@shared_task(name="messaging.jobs.deliver")
def deliver(delivery_id: int) -> None:
    outbox.deliver(delivery_id)


@shared_task(name="messaging.jobs.sweep_deliveries")
def sweep_deliveries() -> None:
    outbox.sweep()


@shared_task(name="messaging.jobs.sweep_attachments", ignore_result=True)
def sweep_attachments() -> None:
    upkeep.sweep()
