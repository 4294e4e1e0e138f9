"""Why an agent does what it does now by itself, or nothing: silence is always explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from django.db.models import Count, Min, Q
from django.utils import timezone

from agents.autonomy.starting import minutes_left
from agents.context.days import zone_for
from agents.models import LIVE_STATES, Autonomy, AutonomyRule, Run, RunKind
from tasks.models import Level, WakeEvent, WakeState
from tasks.schedules.timing import Hours
from tasks.services.wakes.taking import levels_up_to


class Doing(StrEnum):
    OFF = "off"
    PAUSED = "paused"
    WORKING = "working"
    RESTING = "resting"
    OUTSIDE = "outside"
    SPENT = "spent"
    DUE = "due"
    WAITING = "waiting"


@dataclass(frozen=True)
class State:
    """`until` is when it changes by itself, where that is known; `run` is what is under way."""

    doing: Doing
    words: str
    until: datetime | None = None
    run: Run | None = None
    waiting: int = 0


def explain(row: Autonomy, rule: AutonomyRule, level: Level, *, now: datetime | None = None) -> State:
    """Return what an agent does by itself now, and why; three queries."""
    moment = now or timezone.now()
    run = _live(row)
    waiting = _waiting(row, level)
    doing, words, until = _first(row, rule, level, run, waiting, moment)
    return State(doing, words, until, run, waiting)


def _first(
    row: Autonomy, rule: AutonomyRule, level: Level, run: Run | None, waiting: int, now: datetime
) -> tuple[Doing, str, datetime | None]:
    if not row.agent.enabled:
        return Doing.OFF, "The agent is switched off.", None
    if row.level == Level.OFF:
        return Doing.OFF, "It does nothing by itself: its level is off.", None
    if level == Level.OFF:
        return (
            Doing.OFF,
            "It does nothing by itself: nobody may go further than off in this organization.",
            None,
        )
    held = _pause(rule, "All agents are") or _pause(row, "It is")
    if held:
        return Doing.PAUSED, held + (" What it is at now still ends." if run else ""), None
    if run is not None:
        return Doing.WORKING, "It works now." if run.started_at else "It is about to begin.", None
    return _rest(row, waiting, now)


def _rest(row: Autonomy, waiting: int, now: datetime) -> tuple[Doing, str, datetime | None]:
    if row.not_before and row.not_before > now:
        often = (
            "Its last run failed"
            if row.failures_in_row == 1
            else f"Its last {row.failures_in_row} runs failed"
        )
        return Doing.RESTING, f"{often}, so it rests.", row.not_before
    zone = zone_for(row.agent.settings, row.organization.time_zone)
    if not Hours(row.active_from, row.active_until).include(now, zone):
        assert row.active_from is not None
        return (
            Doing.OUTSIDE,
            f"It is outside of its hours ({zone}).",
            next_at(row.active_from, now.astimezone(zone)),
        )
    if minutes_left(row, now) <= 0:
        words = f"It has worked the {row.minutes_per_day} minutes that it may within a day."
        return Doing.SPENT, words, _oldest(row, now)
    if waiting:
        thing = "One wake waits" if waiting == 1 else f"{waiting} wakes wait"
        return (
            Doing.DUE,
            f"{thing}; it looks as soon as its gap has passed.",
            _after(row.last_started_at, row.gap_s, now),
        )
    looked = [each for each in (row.last_started_at, row.looked_at) if each is not None]
    if not looked:
        return Doing.WAITING, "It has not looked yet, and does so within seconds.", None
    nothing = bool(row.looked_at and row.looked_at == max(looked))
    words = "There was nothing new to do." if nothing else "It waits for its next look, or for a wake."
    return Doing.WAITING, words, _after(max(looked), max(row.interval_s, row.gap_s), now)


def next_at(wanted: time, local: datetime) -> datetime:
    """Return the next moment at which the clock of a local time shows `wanted`."""
    today = local.replace(hour=wanted.hour, minute=wanted.minute, second=wanted.second, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def _pause(row: Autonomy | AutonomyRule, whose: str) -> str:
    if row.paused_at is None:
        return ""
    by = f" by {row.paused_by}" if row.paused_by else ""
    return f"{whose} paused{by}: {row.paused_reason}." if row.paused_reason else f"{whose} paused{by}."


def _after(moment: datetime | None, seconds: int, now: datetime) -> datetime:
    return max((moment or now) + timedelta(seconds=seconds), now) if moment else now


def _live(row: Autonomy) -> Run | None:
    runs = Run.objects.filter(agent_id=row.agent_id, kind=RunKind.AUTONOMY, state__in=LIVE_STATES)
    return runs.order_by("-id").first()


def _waiting(row: Autonomy, level: Level) -> int:
    """Return how many wakes would start it; those above its level wait on."""
    heard = Q(wake__enabled=True, wake__minimum_level__in=levels_up_to(level))
    rows = WakeEvent.objects.filter(heard, agent_id=row.agent_id, state=WakeState.PENDING)
    return int(rows.aggregate(n=Count("pk"))["n"])


def _oldest(row: Autonomy, now: datetime) -> datetime | None:
    """Return when the oldest run of the day no longer counts."""
    runs = Run.objects.filter(
        agent_id=row.agent_id, kind=RunKind.AUTONOMY, active_ms__gt=0, created_at__gt=now - timedelta(days=1)
    )
    oldest: datetime | None = runs.aggregate(at=Min("created_at"))["at"]
    return oldest + timedelta(days=1) if oldest else None
