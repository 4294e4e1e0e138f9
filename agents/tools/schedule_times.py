"""When something should run, in the named parts that a model fills in. What they mean is worked out here."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from django.utils import timezone
from pydantic import Field

from accounts.errors import InvalidInput
from agents.tools.base import Arguments
from messaging.models import Conversation
from tasks.schedules import phrases
from tasks.schedules.clock_words import ORDINALS, WEEKDAYS, weekday
from tasks.schedules.timing import Timing
from tasks.services.schedules.fields import When

Kind = Literal["phrase", "interval", "daily", "weekly", "monthly", "in", "at", "expression"]


class ScheduleCreate(Arguments):
    """The times: a phrase, or what `kind` needs of the fields below it. Zeros and empty texts are left out."""

    prompt: str = Field(description="The job, complete in itself.", min_length=3, max_length=10_000)
    name: str = Field(default="", max_length=120)
    kind: Kind = "phrase"
    phrase: str = Field(
        default="", max_length=120, description='As said: "every weekday at nine", "in twenty minutes".'
    )
    minutes: int = Field(default=0, ge=0, le=527_040, description="interval, in")
    times: list[str] = Field(
        default_factory=list, max_length=24, description="HH:MM; daily, weekly, monthly, at"
    )
    weekdays: list[str] = Field(default_factory=list, max_length=7, description="weekly, monthly")
    ordinal: str = Field(default="", max_length=10, description="monthly: first to fifth, or last")
    day: int = Field(default=0, ge=0, le=31, description="monthly")
    date: str = Field(default="", max_length=10, description="at: YYYY-MM-DD, if named")
    expression: str = Field(default="", max_length=120, description="five fields")
    time_zone: str = Field(default="", max_length=64, description="IANA, if named")


def read_arguments(conversation: Conversation, arguments: ScheduleCreate) -> When:
    if arguments.kind == "phrase":
        if not arguments.phrase.strip():
            raise InvalidInput("Say when: give a phrase, or a kind with what it needs.")
        return When(phrase=arguments.phrase, time_zone=arguments.time_zone)
    name = arguments.time_zone or conversation.organization.time_zone
    try:
        zone = ZoneInfo(name)
    except Exception:
        raise InvalidInput("There is no such time zone; write it like Europe/Berlin.") from None
    timing = read_parts(arguments, zone, timezone.now())
    return When(
        kind=timing.kind,
        expression=timing.expression,
        interval_s=timing.interval_s,
        once_at=timing.once_at,
        time_zone=zone.key,
    )


def read_parts(parts: ScheduleCreate, zone: ZoneInfo, now: datetime) -> Timing:
    """Work out what the named parts mean. Raises InvalidInput."""
    if parts.kind in ("interval", "in"):
        if not parts.minutes:
            raise InvalidInput("Say how many minutes.")
        if parts.kind == "interval":
            return phrases.interval(parts.minutes * 60, zone)
        return phrases.read_phrase(f"in {parts.minutes} minutes", zone=zone, now=now)
    if parts.kind == "expression":
        return Timing("expression", zone.key, expression=parts.expression)
    at = [_time(each) for each in parts.times] or [phrases.DEFAULT_TIME]
    days = [_weekday(each) for each in parts.weekdays]
    if parts.kind == "daily":
        return phrases.calendar(at, zone)
    if parts.kind == "weekly":
        if not days:
            raise InvalidInput("Say on which weekdays.")
        return phrases.calendar(at, zone, weekdays=",".join(str(day) for day in sorted(set(days))))
    if parts.kind == "monthly":
        return _monthly(parts, days, at, zone)
    if not parts.date:
        return phrases.read_phrase(f"at {at[0]:%H:%M}", zone=zone, now=now)
    try:
        day = date.fromisoformat(parts.date)
    except ValueError:
        raise InvalidInput("The date is written YYYY-MM-DD.") from None
    return phrases.once(datetime.combine(day, at[0], tzinfo=zone), zone)


def _monthly(parts: ScheduleCreate, days: list[int], at: list[time], zone: ZoneInfo) -> Timing:
    if parts.day:
        return phrases.month_day(parts.day, at, zone)
    if parts.ordinal not in ORDINALS or len(days) > 1:
        raise InvalidInput("Say which day of the month, or an ordinal with one weekday.")
    nth = ORDINALS[parts.ordinal]
    if days:
        return phrases.nth_weekday(nth, days[0], at, zone)
    return phrases.month_day(nth, at, zone)


def _weekday(name: str) -> int:
    if name.lower()[:3] not in WEEKDAYS:
        raise InvalidInput("Weekdays are named mon to sun.")
    return weekday(name.lower())


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text.strip().zfill(5)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise InvalidInput('Times are written "HH:MM".') from None
