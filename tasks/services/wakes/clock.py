"""The clock of wakes: those by the calendar fire when they are due. Instants that nobody fired in time are one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from tasks.models import ScheduleKind, Wake
from tasks.schedules.timing import Timing
from tasks.services.wakes.ringing import fire

BATCH = 100


def timing_of(wake: Wake) -> Timing:
    if wake.expression:
        return Timing(ScheduleKind.EXPRESSION, wake.time_zone, expression=wake.expression)
    return Timing(ScheduleKind.INTERVAL, wake.time_zone, interval_s=wake.interval_s, anchor_at=wake.anchor_at)


def tick(*, now: datetime | None = None) -> int:
    """Fire what is due; return how many that were. Idle, it reads one empty index; twice at once fires nothing twice."""
    moment = now or timezone.now()
    due = Wake.objects.filter(enabled=True, trigger="schedule", next_due_at__lte=moment)
    if not due.exists():
        return 0
    with transaction.atomic():
        rows = list(
            due.select_for_update(no_key=True, skip_locked=True).order_by("next_due_at", "id")[:BATCH]
        )
        for wake in rows:
            assert wake.next_due_at is not None
            fire(wake.pk, payload={"due_at": wake.next_due_at.isoformat()})
            wake.next_due_at = timing_of(wake).next_after(moment)
            wake.save(update_fields=["next_due_at"])
    return len(rows)
