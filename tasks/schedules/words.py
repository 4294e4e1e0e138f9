"""Saying in words when a schedule is due."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from tasks.models import ScheduleKind
from tasks.schedules.timing import Timing

STEPS = ((7 * 86_400, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
NTH = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth"}


def describe(timing: Timing) -> str:
    """Return a line such as “Every weekday at 09:00 (Europe/Berlin)”."""
    if timing.kind == ScheduleKind.INTERVAL:
        return f"Every {span(timing.interval_s or 0)}"
    if timing.kind == ScheduleKind.ONCE:
        assert timing.once_at is not None
        return f"Once, on {show(timing.once_at.astimezone(timing.zone))} ({timing.time_zone})"
    return f"{_expression(timing.expression)} ({timing.time_zone})"


def span(seconds: int) -> str:
    """Return “30 minutes”, or “hour” for one."""
    for size, unit in STEPS:
        if seconds % size == 0:
            many = seconds // size
            return unit if many == 1 else f"{many} {unit}s"
    return f"{seconds} seconds"


def show(moment: datetime) -> str:
    """Write a local time; seconds only where there are any."""
    return moment.strftime("%a %Y-%m-%d %H:%M:%S" if moment.second else "%a %Y-%m-%d %H:%M")


def show_all(moments: list[datetime]) -> str:
    return ", ".join(show(each) for each in moments)


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def _expression(expression: str) -> str:
    """Say the shapes that people make; leave the rest as it was written."""
    minute, hour, day, month, weekday = expression.split()
    at = _times(minute, hour)
    if at is None or month != "*":
        return f"By the calendar: {expression}"
    if day == "*" and (when := _weekdays(weekday)):
        return f"{when} at {at}"
    if weekday == "*" and day == "L":
        return f"On the last day of every month at {at}"
    if weekday == "*" and day.isdigit():
        return f"On day {int(day)} of every month at {at}"
    return f"By the calendar: {expression}"


def _times(minute: str, hour: str) -> str | None:
    hours = hour.split(",")
    if not minute.isdigit() or not all(each.isdigit() for each in hours):
        return None
    return ", ".join(time(int(each), int(minute)).strftime("%H:%M") for each in hours)


def _weekdays(field: str) -> str | None:
    known = {"*": "Every day", "1-5": "Every weekday", "MON-FRI": "Every weekday", "0,6": "Every weekend day"}
    if field in known:
        return known[field]
    if len(field) == 3 and field[1] == "#" and field[0] in "01234567":
        return f"On the {NTH[field[2]]} {DAYS[int(field[0]) % 7]} of every month"
    if len(field) == 2 and field[1] == "L" and field[0] in "01234567":
        return f"On the last {DAYS[int(field[0]) % 7]} of every month"
    parts = field.split(",")
    if all(len(each) == 1 and each in "01234567" for each in parts):
        names = [DAYS[int(each) % 7] for each in parts]
        return "Every " + (" and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0])
    return None
