"""Runs that wait for their children: they hold no thread meanwhile, and are woken by reports or when their time is up.

Whoever calls these holds the conversation's row, so a run that lays itself to wait either sees a report or is woken by it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from agents.engine import wakeups
from agents.models import LIVE_STATES, Run, RunKind, RunState

WRAP_UP_S = 120
"""What a run whose time is up has left to say what there is."""


HELPED = """
select exists (select 1 from agents_run where report_to_id = %s and state in ('queued', 'running'))
    or exists (select 1 from agents_report p join agents_run r on r.id = p.run_id
                where r.report_to_id = %s and p.state = 'pending' and not p.id = any(%s)),
    exists (select 1 from agents_run where report_to_id = %s)
"""


@dataclass(frozen=True)
class Helpers:
    """`are_needed`: children are at work, or have reported something untold; idle ones do not count. `exist`: any, ever."""

    are_needed: bool
    exist: bool


NONE = Helpers(are_needed=False, exist=False)


def helpers_of(run_id: int, *, told: Collection[int] = ()) -> Helpers:
    """Look at a run's children in one query; `told` are reports it has taken."""
    with connection.cursor() as cursor:
        cursor.execute(HELPED, [run_id, run_id, list(told), run_id])
        row = cursor.fetchone()
    assert row is not None
    return Helpers(*row)


def wake(run_id: int) -> None:
    """Put a waiting run back into the queue, with no more time than its deadline leaves."""
    run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
    if run.state == RunState.WAITING and not run.cancel_requested_at:
        left_s = max(1, int((deadline_of(run) - timezone.now()).total_seconds()))
        run.active_limit_s = min(run.active_limit_s, run.active_ms // 1000 + left_s)
        run.save(update_fields=["active_limit_s"])
        wakeups.requeue(run)


def wrap_up(run_id: int) -> None:
    """Stop the children of a waiting run whose time is up, and let it say what there is."""
    run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
    if run.state != RunState.WAITING or run.cancel_requested_at:
        return
    run.input["wrap_up"] = True
    Run.objects.filter(pk=run.pk).update(input=run.input, active_limit_s=F("active_ms") / 1000 + WRAP_UP_S)
    wakeups.requeue(run)
    stop_helpers(run, reason="the job's time was up")


def stop_helpers(run: Run, *, reason: str) -> None:
    """Cancel what a run's children are still doing."""
    from agents.services.runs import request_cancel

    rows = Run.objects.select_for_update(of=("self",)).filter(report_to_id=run.pk, state__in=LIVE_STATES)
    for child in rows.order_by("pk"):
        if not child.cancel_requested_at:
            request_cancel(child, reason=reason)


def deadline_of(run: Run) -> datetime:
    """Return when a scheduled run must be done, on the wall clock: waiting counts."""
    assert run.kind == RunKind.CRON
    return (run.started_at or timezone.now()) + timedelta(seconds=run.input["timeout_s"])
