"""What a schedule's card, its line and its form have in common."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, F, When
from django.utils import timezone

from accounts.actor import Actor
from tasks.models import Schedule, ScheduleState
from tasks.queries.approvals import decidable_rows
from tasks.queries.schedules import may_steer, schedules_of
from tasks.schedules.timing import hours_of, timing_of
from tasks.schedules.words import describe

BADGES = {
    ScheduleState.PROPOSED: ("badge-warn", "Waits for a decision"),
    ScheduleState.ACTIVE: ("badge-good", "Active"),
    ScheduleState.PAUSED: ("", "Paused"),
    ScheduleState.FINISHED: ("", "Finished"),
    ScheduleState.BROKEN: ("badge-bad", "Stopped"),
}
URGENCY = (ScheduleState.BROKEN, ScheduleState.ACTIVE)
COMING = (ScheduleState.PROPOSED, ScheduleState.ACTIVE)


def planned(actor: Actor, *, most: int) -> list[dict[str, Any]]:
    """Return what was stopped, then what runs next; what is proposed waits among the approvals."""
    order = Case(*(When(state=state, then=place) for place, state in enumerate(URGENCY)))
    runs_next = Case(When(state=ScheduleState.ACTIVE, then=F("next_due_at")))
    rows = schedules_of(actor).filter(state__in=URGENCY).order_by(order, runs_next, "-pk")
    return [schedule_card(actor, each) for each in rows[:most]]


def schedule_card(actor: Actor, schedule: Schedule) -> dict[str, Any]:
    """Return how a schedule is shown: in words, its next times in its own zone, and what the actor may do."""
    timing, state = timing_of(schedule), ScheduleState(schedule.state)
    badge, word = BADGES[state]
    return {
        "schedule": schedule,
        "words": describe(timing),
        "next": timing.upcoming(timezone.now(), hours=hours_of(schedule)) if state in COMING else [],
        "zone": schedule.time_zone,
        "badge": badge,
        "state_word": word,
        "may_steer": may_steer(actor, schedule),
        "may_decide": state == ScheduleState.PROPOSED
        and bool(decidable_rows(actor, "schedule", [schedule.pk])),
        "is_proposed": state == ScheduleState.PROPOSED,
        "is_active": state == ScheduleState.ACTIVE,
        "is_paused": state == ScheduleState.PAUSED,
        "is_broken": state == ScheduleState.BROKEN,
    }
