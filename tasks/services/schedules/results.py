"""What came of a firing: its end, what is delivered of it, and whether the schedule is stopped after failures.

The end is written in the run's own terminal transaction. A failure is an end without success, or a delivery the platform
refused for good; three in a row stop the schedule. People are told of the first and of the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

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
    Firing.objects.filter(pk=firing_id, execution=Execution.QUEUED).update(
        execution=Execution.RUNNING, started_at=now or timezone.now()
    )


def end(firing_id: int, result: Result) -> None:
    """Write the end, deliver what there is, and start what waited. A second end of the same firing changes nothing.

    The caller holds the conversation, in a unit of work.
    """
    schedule = Schedule.objects.select_for_update(of=("self",)).filter(firings=firing_id).first()
    if schedule is None:
        return
    firing = Firing.objects.select_for_update(of=("self",)).get(pk=firing_id)
    if not firing.is_live:
        return
    firing.execution, firing.finished_at, firing.cost_usd = result.execution, timezone.now(), result.cost_usd
    firing.failure, firing.outcome = result.failure, result.text or result.note
    if result.text:
        _deliver(schedule, firing, result)
    firing.save()
    if firing.delivery != DeliveryResult.PENDING and firing.execution != Execution.CANCELLED:
        count(schedule, firing, speaker=result.speaker)
    if schedule.state == ScheduleState.BROKEN:
        _drop_waiting(schedule)
    start_waiting(schedule)
    tell(schedule, firing)


def _deliver(schedule: Schedule, firing: Firing, result: Result) -> None:
    message = append_outbound(
        schedule.conversation_id,
        run_id=result.run_id,
        author_name=result.speaker,
        text=result.text,
        key=f"firing{firing.pk}",
    )
    firing.message = message
    firing.delivery = delivery_of(message)
    firing.delivered_at = timezone.now() if firing.delivery == DeliveryResult.DELIVERED else None


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
