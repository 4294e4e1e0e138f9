"""Clearing away what was uploaded and never sent, pictures of runs after their time, and bytes without a row."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from messaging.attachments import services, store
from messaging.attachments.pictures import KEPT_FOR
from messaging.attachments.queries import PICTURE
from messaging.models import Attachment
from realtime.services import unit_of_work

UNSENT_FOR = timedelta(days=1)
AT_ONCE = 500


def sweep() -> int:
    """Remove them; return how many files it were. Safe to run anywhere, at any time, twice."""
    now = timezone.now()
    unsent = ~PICTURE & Q(created_at__lt=now - UNSENT_FOR)
    old = Attachment.objects.filter(unsent | Q(created_at__lt=now - KEPT_FOR), message=None)
    with unit_of_work():
        ids = list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        count = services.delete(Attachment.objects.filter(pk__in=ids, message=None))
    for organization_id, conversation_id, place in store.list_old(UNSENT_FOR.total_seconds()):
        if not Attachment.objects.filter(place=place).exists():
            store.discard(organization_id, conversation_id, place)
            count += 1
    return count
