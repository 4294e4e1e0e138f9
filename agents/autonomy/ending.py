"""What the end of an autonomous run means: wakes are acknowledged or wait again, and after failures the agent rests."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Role
from agents.autonomy.agenda import read_agenda
from agents.models import LIVE_STATES, Autonomy, Run, RunKind, RunState
from realtime.models import NoticeKind
from realtime.notices.services import Subject, members_from, notify, settle
from realtime.services import NewEvent, record
from tasks.models import Level
from tasks.services.wakes import taking

FIRST_REST_S = 300
LONGEST_REST_S = 6 * 3_600
TELL_AFTER = (1, 3)
"""Failures in a row after which people are told."""


def has_ended(run: Run, state: str, *, why: str = "") -> None:
    """Settle what a run had taken, in its terminal transaction."""
    row = Autonomy.objects.select_for_update(no_key=True).filter(agent_id=run.agent_id).first()
    if row is None:
        taking.give_back([run.pk])
        return
    if state == RunState.SUCCEEDED:
        taking.acknowledge(run.pk)
        row.considered = _considered(row, run)
        row.failures_in_row, row.not_before = 0, None
        settle(run.organization_id, _key(run))
    elif state == RunState.CANCELLED:
        taking.give_back([run.pk], counts=False)
    else:
        taking.give_back([run.pk])
        row.failures_in_row += 1
        row.not_before = timezone.now() + rest_after(row.failures_in_row)
        _tell(row, run, why)
    row.save(update_fields=["considered", "failures_in_row", "not_before"])
    record(
        run.organization_id,
        NewEvent("autonomy.changed", {"agent_id": run.agent_id}, minimum_level=Role.ADMIN.level),
    )


def rest_after(failures: int) -> timedelta:
    """Return how long an agent rests: five minutes, then twice as long each time, six hours at most."""
    return timedelta(seconds=min(FIRST_REST_S * 2 ** min(failures - 1, 20), LONGEST_REST_S))


def settle_orphans() -> int:
    """Give back what was taken by runs that have ended, or are gone, without saying so; return how many rows that were."""
    runs = taking.taken_by()
    if not runs:
        return 0
    live = set(Run.objects.filter(pk__in=runs, state__in=LIVE_STATES).values_list("pk", flat=True))
    ended = set(runs) - live
    return taking.give_back(ended, counts=False) if ended else 0


def _considered(row: Autonomy, run: Run) -> list[str]:
    """Return what the run had before it, and the goals as they are now: its own proposals changed those."""
    now = read_agenda(row, Level(run.input["level"]), now=timezone.now())
    return sorted({*run.input["keys"], *(key for key in now if key.startswith("goal:"))})


def _tell(row: Autonomy, run: Run, why: str) -> None:
    if row.failures_in_row not in TELL_AFTER:
        return
    rest: datetime | None = row.not_before
    notify(
        run.organization_id,
        members_from(run.organization_id, Role.ADMIN),
        kind=NoticeKind.FAILURE if row.failures_in_row == 1 else NoticeKind.BREAKER,
        key=_key(run),
        title=f"{run.agent.name} failed while working by itself",
        text=f"{why} {row.failures_in_row} in a row; it rests until {rest:%Y-%m-%d %H:%M} UTC.",
        subject=Subject("run", run.pk),
    )


def _key(run: Run) -> str:
    return f"{RunKind.AUTONOMY}:{run.agent_id}"
