"""Checking what people and agents write into a schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from accounts.errors import InvalidInput
from tasks.models import Misfire, Overlap, Schedule, ScheduleKind
from tasks.schedules.phrases import read_phrase
from tasks.schedules.timing import Timing, check_timing, check_zone, hours_of, timing_of
from tasks.schedules.words import span

MOST_PROMPT = 10_000
MOST_NAME = 120
TIMEOUT_S = (30, 24 * 3_600)
GRACE_S = (10, 24 * 3_600)
TIMING = ("kind", "expression", "interval_s", "anchor_at", "once_at", "time_zone")
PLAIN = (
    "name",
    "prompt",
    "timeout_s",
    "run_once",
    "misfire",
    "grace_s",
    "overlap",
    "active_from",
    "active_until",
)


@dataclass(frozen=True)
class When:
    """When something should run, as it was asked for: a phrase, or named parts. An empty zone is the organization's."""

    phrase: str = ""
    kind: str = ""
    expression: str = ""
    interval_s: int | None = None
    anchor_at: datetime | None = None
    once_at: datetime | None = None
    time_zone: str = ""


def from_words(text: str, *, time_zone: str = "") -> When:
    """Return what one field for both says: five fields of an expression, or a phrase."""
    parts = text.split()
    if len(parts) == 5 and re.fullmatch(r"[\d*/,-]+", parts[0]) and re.fullmatch(r"[\d*/,-]+", parts[1]):
        return When(expression=text, time_zone=time_zone)
    return When(phrase=text, time_zone=time_zone)


def to_words(timing: Timing) -> str:
    """Return what `from_words` reads as this timing."""
    if timing.kind == ScheduleKind.EXPRESSION:
        return timing.expression
    if timing.kind == ScheduleKind.ONCE:
        assert timing.once_at is not None
        return f"on {timing.once_at.astimezone(timing.zone):%Y-%m-%d at %H:%M}"
    return f"every {span(timing.interval_s or 0)}"


def read_when(when: When, *, default_zone: str, now: datetime) -> Timing:
    """Work out what was asked for. Raises InvalidInput."""
    zone = check_zone(when.time_zone or default_zone)
    given = [name for name in ("phrase", "expression", "interval_s", "once_at") if getattr(when, name)]
    if len(given) > 1:
        raise InvalidInput(f"Say when in one way: either {' or '.join(given)}.", field=given[-1])
    if when.anchor_at and not when.interval_s:
        raise InvalidInput("Only an interval has a beginning.", field="anchor_at")
    if when.phrase:
        return check_timing(read_phrase(when.phrase, zone=ZoneInfo(zone), now=now), now=now)
    kind = when.kind or _kind_of(when)
    timing = Timing(kind, zone, when.expression, when.interval_s, when.anchor_at, when.once_at)
    return check_timing(timing, now=now)


def _kind_of(when: When) -> str:
    if when.expression:
        return ScheduleKind.EXPRESSION
    return ScheduleKind.INTERVAL if when.interval_s else ScheduleKind.ONCE


def set_timing(schedule: Schedule, timing: Timing) -> None:
    for name in TIMING:
        setattr(schedule, name, getattr(timing, name))


def set_plain(schedule: Schedule, values: dict[str, Any]) -> None:
    """Write checked values onto the row, in memory. Raises InvalidInput with the field."""
    for name, value in values.items():
        if name not in PLAIN:
            raise InvalidInput("This cannot be changed.", field=name)
        setattr(schedule, name, CHECKS[name](name, value))


def check_whole(schedule: Schedule, *, now: datetime) -> None:
    """Check what fields mean together. Raises InvalidInput."""
    if (schedule.active_from is None) != (schedule.active_until is None):
        raise InvalidInput("Active hours need a beginning and an end.", field="active_until")
    if schedule.active_from is None:
        return
    if schedule.kind == ScheduleKind.ONCE:
        raise InvalidInput("What runs once has no active hours.", field="active_from")
    if not timing_of(schedule).upcoming(now, 1, hours=hours_of(schedule)):
        raise InvalidInput("None of its times lies within the active hours.", field="active_from")


def make_name(prompt: str) -> str:
    """Name a schedule by the first line of its prompt."""
    line = prompt.strip().splitlines()[0]
    return line if len(line) <= 80 else f"{line[:79].rstrip()}…"


def _name(field: str, value: Any) -> str:
    text = " ".join(str(value).replace("\x00", "").split())
    if not text or len(text) > MOST_NAME:
        raise InvalidInput(f"A name has 1 to {MOST_NAME} characters.", field=field)
    return text


def _prompt(field: str, value: Any) -> str:
    text = str(value).strip()
    if not text or len(text) > MOST_PROMPT:
        raise InvalidInput(f"Say what should be done, in at most {MOST_PROMPT:,} characters.", field=field)
    if "\x00" in text or text != text.encode(errors="ignore").decode():
        raise InvalidInput("It holds characters that cannot be stored.", field=field)
    return text


def _within(low: int, high: int) -> Any:
    def check(field: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidInput(f"This is a number of seconds from {low:,} to {high:,}.", field=field)
        return value

    return check


def _one_of(choices: Any) -> Any:
    def check(field: str, value: Any) -> str:
        if value not in choices.values:
            raise InvalidInput(f"This is one of: {', '.join(choices.values)}.", field=field)
        return str(value)

    return check


def _time(field: str, value: Any) -> time | None:
    if value is None or isinstance(value, time):
        return value.replace(tzinfo=None) if value else None
    raise InvalidInput("This is a time of the day.", field=field)


CHECKS: dict[str, Any] = {
    "name": _name,
    "prompt": _prompt,
    "timeout_s": _within(*TIMEOUT_S),
    "grace_s": _within(*GRACE_S),
    "run_once": lambda field, value: bool(value),
    "misfire": _one_of(Misfire),
    "overlap": _one_of(Overlap),
    "active_from": _time,
    "active_until": _time,
}
