"""The circuit of each tool: three real failures in a row cut an agent off from it, and a person is told.

A real failure is a crash of the tool, or ToolUnavailable: what it needs does not answer. Wrong arguments and refusals tell
nothing about the tool. Tools that live in a step's own transaction have no circuit: the database is what everything needs.

An open circuit refuses calls with a reason until a cool-down is over; then one call is let through, and what it comes to closes
the circuit or opens it for twice as long. What is known is kept for a moment in each process, so that a call whose tool has
never failed costs nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import connection
from django.utils import timezone

from accounts.database import release_connection
from accounts.models import Role
from agents.cortex import log
from agents.models import Breaker, BreakerState, Run
from realtime.models import NoticeKind
from realtime.notices.services import Subject, members_from, notify, settle
from realtime.services import unit_of_work

OPENS_AFTER = 3
FIRST_COOL_DOWN_S = 60
LONGEST_COOL_DOWN_S = 3_600
TRIAL_S = 600
"""How long a call that was let through may take before another is."""
KEEP_S = 2.0
MOST_KEPT = 1_000
JOB = "supervision"

Health = Literal["works", "broken", "unknown"]


@dataclass(frozen=True)
class Seen:
    """A circuit as it was a moment ago."""

    state: str
    failures: int
    next_try_at: datetime | None


_kept: dict[int, tuple[float, dict[str, Seen]]] = {}


def refusal(run: Run, tool: str) -> str:
    """Return why the tool may not be called now, empty when it may. Lets the one call of a trial through."""
    seen = _circuits(run.agent_id).get(tool)
    if seen is None or seen.state == BreakerState.CLOSED:
        return ""
    if seen.next_try_at is not None and seen.next_try_at <= timezone.now() and _take_trial(run, tool):
        return ""
    return (
        f"Refused: {tool} failed {seen.failures} times in a row and is switched off for a while. People have been told."
        " Do without it, or say that it does not work at the moment."
    )


def saw(run: Run, tool: str, health: Health) -> None:
    """Take note of how a call that was let through ended."""
    if health == "broken":
        _count_failure(run, tool)
        return
    seen = _circuits(run.agent_id).get(tool)
    if seen is None or (seen.state == BreakerState.CLOSED and seen.failures == 0):
        return
    if health == "works":
        _close(run, tool)
    elif seen.state == BreakerState.HALF_OPEN:
        _give_trial_back(run, tool)


def forget(agent_id: int) -> None:
    """Read the agent's circuits anew at the next call."""
    _kept.pop(agent_id, None)


def cool_down(trips: int) -> timedelta:
    """Return how long a circuit stays open when it opens for the `trips`th time in a row."""
    return timedelta(seconds=min(FIRST_COOL_DOWN_S * 2 ** min(trips - 1, 20), LONGEST_COOL_DOWN_S))


def _circuits(agent_id: int) -> dict[str, Seen]:
    kept = _kept.get(agent_id)
    if kept is not None and time.monotonic() - kept[0] < KEEP_S:
        return kept[1]
    rows = Breaker.objects.filter(agent_id=agent_id).values_list("tool", "state", "failures", "next_try_at")
    found = {tool: Seen(state, failures, at) for tool, state, failures, at in rows}
    release_connection()
    if len(_kept) > MOST_KEPT:
        _kept.clear()
    _kept[agent_id] = (time.monotonic(), found)
    return found


TAKE_TRIAL = """
update agents_breaker
   set state = 'half_open', next_try_at = now() + %s * interval '1 second', last_run_id = %s, updated_at = now()
 where agent_id = %s and tool = %s and state in ('open', 'half_open') and next_try_at <= now()
"""


def _take_trial(run: Run, tool: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TRIAL, [TRIAL_S, run.pk, run.agent_id, tool])
        taken: bool = cursor.rowcount > 0
    forget(run.agent_id)
    release_connection()
    return taken


def _give_trial_back(run: Run, tool: str) -> None:
    """The trial told nothing about the tool: the next call is one as well."""
    Breaker.objects.filter(agent_id=run.agent_id, tool=tool, state=BreakerState.HALF_OPEN).update(
        state=BreakerState.OPEN, next_try_at=timezone.now(), updated_at=timezone.now()
    )
    forget(run.agent_id)


def _count_failure(run: Run, tool: str) -> None:
    with unit_of_work():
        Breaker.objects.bulk_create(
            [Breaker(organization_id=run.organization_id, agent_id=run.agent_id, tool=tool)],
            ignore_conflicts=True,
        )
        row = Breaker.objects.select_for_update().get(agent_id=run.agent_id, tool=tool)
        row.failures, row.last_run_id = row.failures + 1, run.pk
        if row.state == BreakerState.HALF_OPEN or (
            row.state == BreakerState.CLOSED and row.failures >= OPENS_AFTER
        ):
            _open(row)
        row.save()
    forget(run.agent_id)


def _open(row: Breaker) -> None:
    """Open it, and tell people the first time; later times go to the log alone."""
    now, is_first = timezone.now(), row.trips == 0
    row.trips += 1
    row.state, row.opened_at = BreakerState.OPEN, row.opened_at if not is_first and row.opened_at else now
    row.next_try_at = now + cool_down(row.trips)
    minutes = int(cool_down(row.trips).total_seconds() // 60)
    text = f"The tool {row.tool} failed {row.failures} times in a row and is switched off; the next try is in {minutes} min."
    if is_first:
        row.told_at = now
        _tell_admins(row, text)
    _write(row, "breaker_opened", text, alarm=is_first)


def _tell_admins(row: Breaker, text: str) -> None:
    notify(
        row.organization_id,
        members_from(row.organization_id, Role.ADMIN),
        kind=NoticeKind.BREAKER,
        key=_key(row),
        title=f"{row.agent.name} is cut off from {row.tool}",
        text=text,
        subject=Subject("agent", row.agent_id),
    )


def _key(row: Breaker) -> str:
    return f"breaker:{row.agent_id}:{row.tool}"


def _close(run: Run, tool: str) -> None:
    with unit_of_work():
        row = Breaker.objects.select_for_update().filter(agent_id=run.agent_id, tool=tool).first()
        if row is not None and row.state != BreakerState.OPEN:
            close(row, run_id=run.pk)
    forget(run.agent_id)


def close(row: Breaker, *, run_id: int | None = None, by: str = "") -> None:
    """Let the tool be called again, as if it had never failed. The caller holds the row."""
    if row.state != BreakerState.CLOSED:
        text = (
            f"The tool {row.tool} works again."
            if not by
            else f"The tool {row.tool} was switched on again by {by}."
        )
        _write(row, "breaker_closed", text)
        settle(row.organization_id, _key(row))
    row.state, row.failures, row.trips = BreakerState.CLOSED, 0, 0
    row.opened_at = row.next_try_at = row.told_at = None
    row.last_run_id = run_id or row.last_run_id
    row.save()


def _write(row: Breaker, event: str, text: str, *, alarm: bool = False) -> None:
    detail: dict[str, Any] = {
        "tool": row.tool,
        "breaker_id": row.pk,
        "run_id": row.last_run_id,
        "trips": row.trips,
    }
    log.write(row.organization_id, row.agent_id, job=JOB, event=event, text=text, detail=detail, alarm=alarm)
