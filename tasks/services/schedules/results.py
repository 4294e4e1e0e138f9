"""What came of a firing: its end, what is delivered of it, and whether the schedule is stopped after failures.

The end is written in the run's own terminal transaction. A failure is an end without success, or a delivery the platform
refused for good; three in a row stop the schedule. People are told of the first and of the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.models import Delivery, DeliveryState, Message
from messaging.services.messages import append_outbound
from realtime.services import NewEvent, record
from tasks.models import (
    DeliveryResult,
    Execution,
    Firing,
    Schedule,
    ScheduleState,
    Trigger,
)
from tasks.services import notices
from tasks.services.schedules.firing import start_waiting
from tasks.services.schedules.rows import tell

FAILURES = 3
MOST_TOLD = 300

BEGIN = (
    "update tasks_firing set execution = 'running', started_at = %s where id = %s and execution = 'queued'"
)

END = """
update tasks_firing f
   set execution = %(execution)s, outcome = %(outcome)s, failure = %(failure)s, cost_usd = %(cost)s::numeric,
       message_id = %(message)s::bigint, finished_at = %(now)s::timestamptz, delivery = d.delivery,
       delivered_at = case d.delivery when 'delivered' then %(now)s::timestamptz end
  from (select case when %(message)s::bigint is null then 'none' when bool_and(state = 'delivered') then 'delivered'
                    when bool_or(state = 'failed') then 'failed' else 'pending' end as delivery
          from messaging_delivery where message_id = %(message)s::bigint) d
 where f.id = %(firing)s
returning f.delivery, exists (
    select 1 from tasks_firing w where w.schedule_id = f.schedule_id and w.execution = 'waiting')
"""
"""The outbox says what is delivered: the platform has given an id for every part."""


@dataclass(frozen=True)
class Result:
    """How a run ended. `text` is delivered, unless it is empty; `failure` is safe for people."""

    execution: Execution
    speaker: str
    run_id: int
    text: str = ""
    note: str = ""
    failure: str = ""
    cost_usd: Decimal | None = None


def begin(firing_id: int, *, now: datetime | None = None) -> None:
    """Note that the run has begun."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [now or timezone.now(), firing_id])


def end(firing_id: int, result: Result) -> None:
    """Write the end, deliver what there is, and start what waited. A second end of the same firing changes nothing.

    The caller holds the conversation, in a unit of work.
    """
    # The schedule is held before the firing, by the order in which they are named.
    held = Firing.objects.select_related("schedule").select_for_update(of=("schedule", "self"))
    firing = held.filter(pk=firing_id).order_by().first()
    if firing is None or not firing.is_live:
        return
    schedule = firing.schedule
    others_wait = _write(schedule, firing, result)
    if firing.delivery != DeliveryResult.PENDING and firing.execution != Execution.CANCELLED:
        count(schedule, firing, speaker=result.speaker)
    if others_wait:
        if schedule.state == ScheduleState.BROKEN:
            _drop_waiting(schedule)
        start_waiting(schedule)
    tell(schedule, firing)


def _write(schedule: Schedule, firing: Firing, result: Result) -> bool:
    """Store the end with what is delivered of it; return whether another firing waits for this one."""
    message = _deliver(schedule, firing, result) if result.text else None
    firing.execution, firing.failure, firing.message = result.execution, result.failure, message
    values: dict[str, Any] = {
        "firing": firing.pk,
        "execution": str(result.execution),
        "outcome": result.text or result.note,
        "failure": result.failure,
        "cost": result.cost_usd,
        "message": message.pk if message else None,
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(END, values)
        row = cursor.fetchone()
    assert row is not None
    firing.delivery = row[0]
    return bool(row[1])


def _deliver(schedule: Schedule, firing: Firing, result: Result) -> Message:
    return append_outbound(
        schedule.conversation_id,
        run_id=result.run_id,
        author_name=result.speaker,
        text=result.text,
        key=f"firing{firing.pk}",
    )


def delivery_of(message: Message) -> DeliveryResult:
    """Read the outbox: delivered means that the platform has given an id for every part."""
    states = set(Delivery.objects.filter(message=message).values_list("state", flat=True))
    if states == {DeliveryState.DELIVERED}:
        return DeliveryResult.DELIVERED
    return DeliveryResult.FAILED if DeliveryState.FAILED in states else DeliveryResult.PENDING


def count(schedule: Schedule, firing: Firing, *, speaker: str) -> None:
    """Count a result towards the breaker; a run by hand is told of and not counted."""
    failed = firing.execution != Execution.SUCCEEDED or firing.delivery == DeliveryResult.FAILED
    if firing.trigger == Trigger.MANUAL:
        if failed:
            _say(schedule, firing, speaker, f"“{schedule.name}” failed: {_why(firing)}")
        return
    if not failed and not schedule.failures_in_row:
        return
    schedule.failures_in_row = schedule.failures_in_row + 1 if failed else 0
    if not failed:
        notices.schedule_well(schedule)
    changed = ["failures_in_row", "updated_at"]
    if failed and schedule.failures_in_row == 1:
        _say(schedule, firing, speaker, f"“{schedule.name}” failed: {_why(firing)}{_what_next(schedule)}")
    if schedule.failures_in_row >= FAILURES and schedule.state == ScheduleState.ACTIVE:
        schedule.state = ScheduleState.BROKEN
        schedule.stopped_reason = f"{FAILURES} failures in a row; the last: {_why(firing)}"[:300]
        changed += ["state", "stopped_reason"]
        _say(
            schedule,
            firing,
            speaker,
            f"“{schedule.name}” failed {FAILURES} times in a row and was stopped: {_why(firing)}\n\n"
            "It stays off until someone resets it under Schedule.",
        )
    schedule.save(update_fields=changed)


def _what_next(schedule: Schedule) -> str:
    if schedule.state == ScheduleState.ACTIVE:
        return "\n\nIt is tried again when it is next due."
    return ""


def _why(firing: Firing) -> str:
    if firing.failure:
        return firing.failure[:MOST_TOLD]
    if firing.delivery == DeliveryResult.FAILED:
        return "the platform did not take the message."
    return "it ran out of time." if firing.execution == Execution.TIMED_OUT else "it ended without a result."


def _say(schedule: Schedule, firing: Firing, speaker: str, text: str) -> None:
    """Tell people in the conversation, and the owner wherever they are."""
    append_outbound(
        schedule.conversation_id,
        run_id=firing.run_id,
        author_name=speaker,
        text=text,
        key=f"firing{firing.pk}.{schedule.state}{schedule.failures_in_row}",
    )
    payload = {"schedule_id": schedule.pk, "name": schedule.name, "state": schedule.state, "text": text}
    record(schedule.organization_id, NewEvent("schedule.failed", payload, user_id=schedule.owner_id))
    notices.schedule_failed(schedule, text)


def _drop_waiting(schedule: Schedule) -> None:
    Firing.objects.filter(schedule_id=schedule.pk, execution=Execution.WAITING).update(
        execution=Execution.CANCELLED, outcome="The schedule was stopped after failures in a row."
    )
