"""What becomes of each instant that is due: it fires, it is skipped, or it was missed. A pure function of what is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain

from tasks.models import Execution, FiringDecision, Misfire, Overlap, Reason, Trigger
from tasks.schedules.timing import Hours, Timing

MOST_AT_ONCE = 20_000
"""Instants looked at in one go; what lies behind is looked at by the next tick."""
MOST_CAUGHT_UP = 10
"""However long the gap was, no more of its instants are run one by one."""


@dataclass(frozen=True)
class Line:
    """A line of the ledger to be written. `execution` is queued or waiting for what fires."""

    due_at: datetime
    until_at: datetime | None = None
    count: int = 1
    trigger: str = Trigger.CLOCK
    decision: str = FiringDecision.SKIPPED
    reason: str = ""
    execution: str = Execution.NONE


@dataclass(frozen=True)
class Policies:
    hours: Hours = field(default_factory=Hours)
    misfire: str = Misfire.ONCE
    grace: timedelta = timedelta(minutes=2)
    overlap: str = Overlap.SKIP
    run_once: bool = False


@dataclass(frozen=True)
class Circumstances:
    """`blocked` is why nothing may run now, if so; `live` and `waiting` count firings under way."""

    now: datetime
    blocked: str = ""
    live: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class Plan:
    """The lines in order, and the first instant after them; None when there is none."""

    lines: tuple[Line, ...]
    next_due_at: datetime | None
    is_over: bool = False


def take(timing: Timing, first: datetime, now: datetime) -> tuple[list[datetime], datetime | None]:
    """Return the instants from `first` up to `now`, and the one that follows them."""
    found: list[datetime] = []
    for instant in chain([first], timing.instants_after(first)):
        if instant > now or len(found) >= MOST_AT_ONCE:
            return found, instant
        found.append(instant)
    return found, None


def plan(timing: Timing, policies: Policies, first: datetime, seen: Circumstances) -> Plan:
    """Decide about every instant from `first` up to now."""
    instants, following = take(timing, first, seen.now)
    is_last_part = following is None or following > seen.now
    chosen: list[datetime] = []
    if not seen.blocked and is_last_part:
        inside = [each for each in instants if policies.hours.include(each, timing.zone)]
        chosen = _choose(inside, policies, seen.now)
    lines = _lines(timing, policies, instants, chosen, seen)
    if policies.run_once and any(line.decision == FiringDecision.FIRED for line in lines):
        return Plan(merge(lines), None, is_over=True)
    return Plan(merge(lines), following, is_over=following is None)


def _choose(instants: list[datetime], policies: Policies, now: datetime) -> list[datetime]:
    """Return which of the instants are run. Usually there is one, and it is on time."""
    if policies.misfire == Misfire.SKIP:
        instants = [each for each in instants if now - each <= policies.grace]
    many = policies.misfire == Misfire.ALL and not policies.run_once
    return instants[-MOST_CAUGHT_UP:] if many else instants[-1:]


def _lines(
    timing: Timing,
    policies: Policies,
    instants: list[datetime],
    chosen: list[datetime],
    seen: Circumstances,
) -> list[Line]:
    live, waiting, wanted = seen.live, seen.waiting, set(chosen)
    most_waiting = MOST_CAUGHT_UP if len(chosen) > 1 else 1
    lines: list[Line] = []
    for instant in instants:
        line = Line(instant)
        if not policies.hours.include(instant, timing.zone):
            lines.append(replace(line, reason=Reason.OUTSIDE_HOURS))
        elif seen.blocked:
            lines.append(replace(line, reason=seen.blocked))
        elif instant not in wanted:
            lines.append(replace(line, decision=FiringDecision.MISSED, reason=Reason.MISFIRE))
        elif not live or policies.overlap == Overlap.PARALLEL:
            lines.append(_fires(line, Execution.QUEUED, policies, seen.now))
            live += 1
        elif waiting < most_waiting and (policies.overlap == Overlap.WAIT or len(chosen) > 1):
            lines.append(_fires(line, Execution.WAITING, policies, seen.now))
            waiting += 1
        else:
            lines.append(replace(line, reason=Reason.OVERLAP))
    return lines


def _fires(line: Line, execution: Execution, policies: Policies, now: datetime) -> Line:
    trigger = Trigger.CATCH_UP if now - line.due_at > policies.grace else Trigger.CLOCK
    return replace(line, decision=FiringDecision.FIRED, execution=execution, trigger=trigger)


def merge(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Join neighbours that did not run for the same reason into one line that says how many they were."""
    found: list[Line] = []
    for line in lines:
        before = found[-1] if found else None
        if before and line.reason and (before.decision, before.reason) == (line.decision, line.reason):
            found[-1] = replace(
                before, until_at=line.until_at or line.due_at, count=before.count + line.count
            )
        else:
            found.append(line)
    return tuple(found)
