"""Writing the ledger: the lines of a plan, and the instants of a schedule that stands still.

What stands still is accounted for when somebody looks (its page, resuming, changing it) and every ten minutes: one line that
grows, however long the pause was, so a paused schedule costs nothing while nobody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from realtime.services import unit_of_work
from tasks.models import Firing, FiringDecision, Reason, Schedule, ScheduleKind, ScheduleState
from tasks.schedules.due import Circumstances, Line, Policies, plan
from tasks.schedules.timing import timing_of
from tasks.services.schedules.rows import hold

STANDS_STILL = {ScheduleState.PAUSED: Reason.PAUSED, ScheduleState.BROKEN: Reason.BREAKER_OPEN}
SWEEP_LIMIT = 200


def rows_for(schedule: Schedule, lines: Sequence[Line], *, now: datetime) -> list[Firing]:
    """Return the rows to insert for these lines; where the first goes on with the ledger's last line, that one grows."""
    rest = lines[1:] if lines and _grow(schedule.pk, lines[0]) else lines
    return [
        Firing(
            organization_id=schedule.organization_id,
            schedule=schedule,
            due_at=line.due_at,
            until_at=line.until_at,
            count=line.count,
            trigger=line.trigger,
            decision=line.decision,
            reason=line.reason,
            execution=line.execution,
            decided_at=now,
        )
        for line in rest
    ]


def _grow(schedule_id: int, line: Line) -> bool:
    """Lengthen the last line if this one says the same about the instants that follow it."""
    if line.decision == FiringDecision.FIRED:
        return False
    last = (
        Firing.objects.filter(schedule_id=schedule_id)
        .exclude(trigger="manual")
        .order_by("-due_at")
        .only("pk", "decision", "reason", "due_at")
        .first()
    )
    if (
        last is None
        or (last.decision, last.reason) != (line.decision, line.reason)
        or last.due_at >= line.due_at
    ):
        return False
    Firing.objects.filter(pk=last.pk).update(
        count=F("count") + line.count, until_at=line.until_at or line.due_at
    )
    return True


def account(schedule: Schedule, *, now: datetime) -> None:
    """Account for what came due while a held schedule stood still. One that runs once is not used up by a pause."""
    reason = STANDS_STILL.get(ScheduleState(schedule.state))
    if reason is None or schedule.kind == ScheduleKind.ONCE:
        return
    while schedule.next_due_at is not None and schedule.next_due_at <= now:
        found = plan(
            timing_of(schedule), Policies(), schedule.next_due_at, Circumstances(now, blocked=reason)
        )
        Firing.objects.bulk_create(rows_for(schedule, found.lines, now=now))
        schedule.next_due_at = found.next_due_at
    schedule.save(update_fields=["next_due_at"])


def account_for(schedule: Schedule, *, now: datetime) -> None:
    """Bring the ledger of a schedule that stands still up to now, before it is read."""
    if schedule.state in STANDS_STILL and schedule.next_due_at is not None and schedule.next_due_at <= now:
        with unit_of_work():
            account(hold(schedule), now=now)


def sweep(*, now: datetime) -> int:
    """Do so for all that stand still; return how many there were."""
    rows = Schedule.objects.filter(
        state__in=list(STANDS_STILL), next_due_at__lte=now, deleted_at=None
    ).exclude(kind=ScheduleKind.ONCE)
    found = list(rows.order_by("next_due_at")[:SWEEP_LIMIT])
    for schedule in found:
        account_for(schedule, now=now)
    return len(found)
