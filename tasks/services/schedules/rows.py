"""Holding a schedule while it changes, and telling of the change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from realtime.services import NewEvent, record
from tasks.models import Firing, Schedule


def hold(schedule: Schedule) -> Schedule:
    """Lock the conversation's row, then the schedule's, and return it as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select 1 from messaging_conversation where id = %s for no key update", [schedule.conversation_id]
        )
    return Schedule.objects.select_for_update(of=("self",)).select_related("organization").get(pk=schedule.pk)


def tell(schedule: Schedule, firing: Firing | None = None) -> None:
    """Record that the schedule changed; pages that show it read it again."""
    payload: dict[str, Any] = {"schedule_id": schedule.pk, "state": schedule.state, "name": schedule.name}
    if firing is not None:
        payload["firing"] = {"id": firing.pk, "execution": firing.execution, "run_id": firing.run_id}
    record(schedule.organization_id, NewEvent("schedule.changed", payload, schedule.conversation_id))


def last_accounted(schedule_id: int) -> datetime | None:
    """Return the newest instant of the clock that the ledger accounts for."""
    row = (
        Firing.objects.filter(schedule_id=schedule_id)
        .exclude(trigger="manual")
        .order_by("-due_at")
        .values_list("due_at", "until_at")
        .first()
    )
    return (row[1] or row[0]) if row else None
