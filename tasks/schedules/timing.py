"""When a schedule is due: a calendar expression, an interval counted from an anchor, or one instant.

Expressions are read as Debian's cron reads them. Two consequences: where the day of the month or the day of the week
begins with `*`, both must fit, else one is enough; and at a change of the clocks a fixed time that does not exist runs at
once after the gap, one that exists twice runs once, while `*` in minutes or hours follows real time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from accounts.errors import InvalidInput
from tasks.models import Schedule, ScheduleKind

SHORTEST_INTERVAL_S = 60
LONGEST_INTERVAL_S = 366 * 86_400
FIELDS = 5
MOST_LOOKED_AT = 5_000
MOST_AHEAD = timedelta(days=366 * 10)


@dataclass(frozen=True)
class Timing:
    kind: str
    time_zone: str
    expression: str = ""
    interval_s: int | None = None
    anchor_at: datetime | None = None
    once_at: datetime | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def instants_after(self, moment: datetime) -> Iterator[datetime]:
        """Yield every due instant later than `moment`, in order, in UTC."""
        if self.kind == ScheduleKind.ONCE:
            if self.once_at is not None and self.once_at > moment:
                yield self.once_at
        elif self.kind == ScheduleKind.INTERVAL:
            yield from self._intervals(moment)
        else:
            yield from self._matches(moment)

    def next_after(self, moment: datetime) -> datetime | None:
        return next(self.instants_after(moment), None)

    def upcoming(self, moment: datetime, count: int = 3, *, hours: Hours | None = None) -> list[datetime]:
        """Return the next instants as local times, those outside the active hours left out."""
        found = islice(self.instants_after(moment), MOST_LOOKED_AT)
        inside = (each for each in found if hours is None or hours.include(each, self.zone))
        return [each.astimezone(self.zone) for each in islice(inside, count)]

    def _intervals(self, moment: datetime) -> Iterator[datetime]:
        """Count from the anchor, never from the last run, so that nothing drifts."""
        assert self.anchor_at is not None
        assert self.interval_s is not None
        step = timedelta(seconds=self.interval_s)
        at = max(0, (moment - self.anchor_at) // step + 1)
        while True:
            yield self.anchor_at + at * step
            at += 1

    def _matches(self, moment: datetime) -> Iterator[datetime]:
        from cronsim import CronSim

        last = moment
        for found in CronSim(self.expression, moment.astimezone(self.zone)):
            instant = found.astimezone(UTC)
            # Two times inside a gap of the clocks are the same instant; one inside a doubled hour may lie before.
            if instant > last:
                last = instant
                yield instant


@dataclass(frozen=True)
class Hours:
    """Local hours in which it may run: from, up to but without until; wraps midnight; both None: always."""

    active_from: time | None = None
    active_until: time | None = None

    def include(self, instant: datetime, zone: ZoneInfo) -> bool:
        if self.active_from is None or self.active_until is None or self.active_from == self.active_until:
            return True
        local = instant.astimezone(zone).time()
        if self.active_from < self.active_until:
            return self.active_from <= local < self.active_until
        return local >= self.active_from or local < self.active_until


def timing_of(schedule: Schedule) -> Timing:
    return Timing(
        kind=schedule.kind,
        time_zone=schedule.time_zone,
        expression=schedule.expression,
        interval_s=schedule.interval_s,
        anchor_at=schedule.anchor_at,
        once_at=schedule.once_at,
    )


def hours_of(schedule: Schedule) -> Hours:
    return Hours(schedule.active_from, schedule.active_until)


def check_timing(timing: Timing, *, now: datetime) -> Timing:
    """Return the timing with what was left out, or raise InvalidInput with the field that is wrong."""
    check_zone(timing.time_zone)
    if timing.kind == ScheduleKind.EXPRESSION:
        timing = Timing(timing.kind, timing.time_zone, expression=check_expression(timing.expression))
        if timing.next_after(now) is None:
            raise InvalidInput("This expression never comes due.", field="expression")
        return timing
    if timing.kind == ScheduleKind.INTERVAL:
        interval_s = timing.interval_s or 0
        if not SHORTEST_INTERVAL_S <= interval_s <= LONGEST_INTERVAL_S:
            raise InvalidInput("An interval is one minute to one year.", field="interval_s")
        anchor = timing.anchor_at or now.replace(second=0, microsecond=0)
        if abs(anchor - now) > MOST_AHEAD:
            raise InvalidInput("The start of the interval is too far away.", field="anchor_at")
        return Timing(timing.kind, timing.time_zone, interval_s=interval_s, anchor_at=anchor)
    if timing.kind == ScheduleKind.ONCE:
        if timing.once_at is None:
            raise InvalidInput("Say when it should run.", field="once_at")
        if timing.once_at <= now:
            raise InvalidInput("This moment has passed.", field="once_at")
        if timing.once_at - now > MOST_AHEAD:
            raise InvalidInput("This is more than ten years ahead.", field="once_at")
        return Timing(timing.kind, timing.time_zone, once_at=timing.once_at)
    raise InvalidInput("It runs by an expression, at an interval, or once.", field="kind")


def check_expression(text: str) -> str:
    """Return the expression with single spaces, or raise InvalidInput."""
    from cronsim import CronSim, CronSimError

    parts = text.split()
    if len(parts) != FIELDS or len(text) > 120 or not text.isascii():
        raise InvalidInput(
            "An expression has five fields: minute, hour, day of the month, month, day of the week.",
            field="expression",
        )
    clean = " ".join(parts).upper()
    try:
        CronSim(clean, datetime.now(UTC))
    except (CronSimError, AssertionError, ValueError) as error:
        raise InvalidInput(f"This expression cannot be read: {error}.", field="expression") from None
    return clean


def check_zone(name: str) -> str:
    """Return the name of a time zone that exists, or raise InvalidInput."""
    try:
        ZoneInfo(name)
    except Exception:
        raise InvalidInput(
            "There is no such time zone; write it like Europe/Berlin.", field="time_zone"
        ) from None
    return name
