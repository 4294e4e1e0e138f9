"""Removing a schedule: by hand, by a tool, with its owner, or because what was proposed was turned down."""

from __future__ import annotations

from datetime import datetime

from tasks.models import Schedule, ScheduleState
from tasks.services import notices
from tasks.services.proposals.following import follow
from tasks.services.schedules import ledger
from tasks.services.schedules.firing import stop_unstarted
from tasks.services.schedules.rows import tell


def remove(schedule: Schedule, *, reason: str, now: datetime) -> None:
    """Remove a held schedule, with the question whether it may run."""
    if schedule.deleted_at is not None:
        return
    ledger.account(schedule, now=now)
    stop_unstarted(schedule, reason=reason)
    notices.schedule_well(schedule)
    proposed = schedule.state == ScheduleState.PROPOSED
    schedule.deleted_at, schedule.state, schedule.next_due_at = now, ScheduleState.FINISHED, None
    schedule.save()
    tell(schedule)
    if proposed:
        follow(schedule, reason=reason)
