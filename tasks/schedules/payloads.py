"""The shapes in which the API answers and events tell of schedules and firings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tasks.models import Firing, Schedule, ScheduleState
from tasks.schedules.timing import hours_of, timing_of
from tasks.schedules.words import describe


def schedule_payload(schedule: Schedule, *, now: datetime) -> dict[str, Any]:
    timing = timing_of(schedule)
    shows_next = schedule.state in (ScheduleState.ACTIVE, ScheduleState.PROPOSED, ScheduleState.PAUSED)
    return {
        "id": schedule.pk,
        "name": schedule.name,
        "prompt": schedule.prompt,
        "agent_id": schedule.agent_id,
        "conversation_id": schedule.conversation_id,
        "owner_id": schedule.owner_id,
        "kind": schedule.kind,
        "expression": schedule.expression,
        "interval_s": schedule.interval_s,
        "anchor_at": schedule.anchor_at,
        "once_at": schedule.once_at,
        "time_zone": schedule.time_zone,
        "words": describe(timing),
        "active_from": schedule.active_from,
        "active_until": schedule.active_until,
        "timeout_s": schedule.timeout_s,
        "run_once": schedule.run_once,
        "misfire": schedule.misfire,
        "grace_s": schedule.grace_s,
        "overlap": schedule.overlap,
        "state": schedule.state,
        "stopped_reason": schedule.stopped_reason,
        "failures_in_row": schedule.failures_in_row,
        "next": timing.upcoming(now, hours=hours_of(schedule)) if shows_next else [],
        "created_at": schedule.created_at,
        "confirmed_at": schedule.confirmed_at,
    }


def firing_payload(firing: Firing) -> dict[str, Any]:
    return {
        "id": firing.pk,
        "schedule_id": firing.schedule_id,
        "due_at": firing.due_at,
        "until_at": firing.until_at,
        "count": firing.count,
        "trigger": firing.trigger,
        "decision": firing.decision,
        "reason": firing.reason,
        "run_id": firing.run_id,
        "execution": firing.execution,
        "delivery": firing.delivery,
        "message_id": firing.message_id,
        "outcome": firing.outcome,
        "failure": firing.failure,
        "cost_usd": str(firing.cost_usd) if firing.cost_usd is not None else None,
        "decided_at": firing.decided_at,
        "started_at": firing.started_at,
        "finished_at": firing.finished_at,
        "delivered_at": firing.delivered_at,
    }
