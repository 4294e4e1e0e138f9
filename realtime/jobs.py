"""Upkeep of stored events."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from realtime import services


@shared_task(name="realtime.prune")
def prune() -> None:
    """Delete events older than SPACEBOT_EVENT_DAYS."""
    services.prune(older_than_days=settings.SPACEBOT_EVENT_DAYS)
