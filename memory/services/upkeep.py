"""Facts that change because memories are used. Nothing here changes what a memory says or weighs."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F
from django.utils import timezone

from memory.models import Memory


def mark_used(organization_id: int, memory_ids: Collection[int]) -> int:
    """Count a use of these memories; to be called for what was really used, not for all that recall returned."""
    return Memory.objects.filter(pk__in=memory_ids, organization_id=organization_id).update(
        access_count=F("access_count") + 1, accessed_at=timezone.now()
    )
