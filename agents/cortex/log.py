"""What the cortex did or noticed, for administrators to read; their browsers hear of it, and of alarms by another name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Role
from agents.models import CortexLog
from realtime.services import NewEvent, record, unit_of_work
from tasks.models import Happening
from tasks.services.wakes.ringing import happened

KEPT = timedelta(days=30)


def write(
    organization_id: int,
    agent_id: int,
    *,
    job: str,
    event: str,
    text: str,
    detail: dict[str, Any] | None = None,
    alarm: bool = False,
    key: str | None = None,
) -> CortexLog | None:
    """Add a line. With `alarm` a person is told: every administrator's browser hears of it.

    `text` is read by people who may not read conversations: it names rows by number and quotes nobody. The same `key` again
    adds nothing and returns None.
    """
    with unit_of_work(savepoint=False):
        row = CortexLog(
            organization_id=organization_id,
            agent_id=agent_id,
            job=job,
            event=event,
            text=text[:500],
            detail=detail or {},
            is_alarm=alarm,
            key=key,
        )
        if key is None:
            row.save(force_insert=True)
        elif not _add_once(row):
            return None
        if alarm:
            happened(
                organization_id,
                Happening.CORTEX_FINDING,
                key=f"log:{row.pk}",
                payload={"finding": row.text},
                agent_ids=[agent_id],
            )
        kind = "cortex.alarm" if alarm else "cortex.logged"
        payload = {"id": row.pk, "agent_id": agent_id, "job": job, "event": event, "text": row.text}
        record(organization_id, NewEvent(kind, payload, minimum_level=Role.ADMIN.level))
    return row


def _add_once(row: CortexLog) -> bool:
    CortexLog.objects.bulk_create([row], ignore_conflicts=True)
    found = CortexLog.objects.filter(agent_id=row.agent_id, key=row.key).values_list("pk", "created_at").get()
    is_new = found[1] == row.created_at
    row.pk = found[0]
    return is_new


def prune(agent_id: int) -> int:
    """Drop the lines that are older than a month; return how many."""
    with transaction.atomic():
        return CortexLog.objects.filter(agent_id=agent_id, created_at__lt=timezone.now() - KEPT).delete()[0]
