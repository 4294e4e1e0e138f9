"""Upkeep of stored events, and the mail that notices become."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from realtime import services
from realtime.notices import mail
from realtime.notices.services import prune_notices


@shared_task(name="realtime.prune")
def prune() -> None:
    """Delete events, and notices that were read, older than SPACEBOT_EVENT_DAYS."""
    services.prune(older_than_days=settings.SPACEBOT_EVENT_DAYS)
    prune_notices(older_than_days=settings.SPACEBOT_EVENT_DAYS)


@shared_task(name="realtime.mail_notices")
def mail_notices() -> None:
    """Mail notices that stayed unread, to those who want them so."""
    mail.mail_due()
