"""Running what is due: claim, do one pass, write what came of it. Two runners at once do nothing twice."""

from __future__ import annotations

import time
from datetime import timedelta

from accounts.database import release_connection
from accounts.logs import get_logger
from accounts.models import Role
from agents.cortex import log
from agents.cortex.claims import Claimed, Due, claim, finish, list_due, pause_after
from agents.cortex.jobs import Job, Result, Work
from agents.cortex.table import JOBS
from agents.models import Agent
from realtime.services import NewEvent, publish_transient, unit_of_work

logger = get_logger(__name__)

AT_ONCE = 200
TELL_AFTER = 3
"""Failures in a row after which people are told."""
AT_ONCE_AGAIN = timedelta(seconds=1)


def run_due(*, seconds: float = 25.0) -> int:
    """Run what is due, for about so long; return how many passes were made. One statement when there is nothing."""
    until, count = time.monotonic() + seconds, 0
    for due in list_due(list(JOBS), limit=AT_ONCE):
        if time.monotonic() > until:
            break
        count += run_one(due)
    return count


def run_one(due: Due) -> bool:
    """Make one pass of a job if it can be claimed; tell whether it was. Safe to call twice and at any moment."""
    job = JOBS[due.name]
    claimed = claim(due, lease=job.lease)
    if claimed is None:
        return False
    if claimed.lost_before:
        _say_lost(due, claimed)
    try:
        agent = Agent.objects.get(pk=due.agent_id)
        result = job.run(Work(claimed.job_id, due.name, agent, claimed.cursor, claimed.fence))
    except Exception as error:
        logger.exception("cortex.failed", job=due.name, agent=due.agent_id)
        _failed(due, claimed, error)
    else:
        _succeeded(due, job, claimed, result)
    release_connection()
    _show(due)
    return True


def _show(due: Due) -> None:
    """Let pages that show the jobs read them anew."""
    payload = {"agent_id": due.agent_id, "job": due.name}
    publish_transient(due.organization_id, NewEvent("cortex.passed", payload, minimum_level=Role.ADMIN.level))


def _succeeded(due: Due, job: Job, claimed: Claimed, result: Result) -> None:
    pause = AT_ONCE_AGAIN if result.is_behind else job.every
    with unit_of_work():
        kept = finish(
            claimed,
            pause=pause,
            failures=0,
            result={"text": result.text, **result.detail},
            cursor=result.cursor,
        )
        if kept and result.text:
            _write(due, "done", result.text, detail=result.detail)
        if kept and claimed.failures >= TELL_AFTER:
            _write(due, "recovered", f"Works again after {claimed.failures} failures.")


def _failed(due: Due, claimed: Claimed, error: Exception) -> None:
    """Put the next pass off. The error's words may hold what somebody said, so the log of the process alone has them."""
    failures, kind = claimed.failures + 1, type(error).__name__
    pause = pause_after(failures)
    text = f"Failed ({kind}), {failures} in a row; the next try is in {int(pause.total_seconds() // 60)} min."
    with unit_of_work():
        kept = finish(claimed, pause=pause, failures=failures, result={"text": text, "class": kind})
        if kept:
            _write(
                due,
                "failed",
                text,
                detail={"class": kind, "failures": failures},
                alarm=failures == TELL_AFTER,
            )


def _say_lost(due: Due, claimed: Claimed) -> None:
    text = f"The pass before this one did not come back: {claimed.failures} failures in a row."
    _write(due, "lost", text, detail={"failures": claimed.failures}, alarm=claimed.failures == TELL_AFTER)


def _write(
    due: Due, event: str, text: str, *, detail: dict[str, object] | None = None, alarm: bool = False
) -> None:
    log.write(
        due.organization_id, due.agent_id, job=due.name, event=event, text=text, detail=detail, alarm=alarm
    )
