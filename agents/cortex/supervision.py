"""Watching over an agent's runs: what is past its time is ended, what nobody takes up is told to people.

Each thing is noticed once. The texts name runs by number; what the runs say stays with those who take part.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from agents.cortex import log
from agents.cortex.jobs import Result, Work
from agents.engine.takeover import end_overdue
from agents.models import LIVE_STATES, Run, RunState

GRACE_S = 60
"""Seconds past its limit in which a run's own executor may still end it."""
SILENT_FOR = timedelta(minutes=2)
QUEUED_FOR = timedelta(minutes=15)
MANY_RECOVERIES = 3
AT_ONCE = 50
JOB = "supervision"

OVERDUE = """
select id, fence, kind from agents_run
 where agent_id = %s and state = 'running' and lease_expires_at > now() and claimed_at is not null
   and extract(epoch from now() - claimed_at) > greatest(active_limit_s - active_ms / 1000.0, 0) + %s
 order by id limit %s
"""


def supervise(work: Work) -> Result:
    """Look once. In the result is how many runs were ended and noticed; the log has a line for each."""
    ended = _end_overdue(work)
    noticed = _notice_recovered(work) + _notice_silent(work) + _notice_queued(work)
    return Result(detail={"ended": ended, "noticed": noticed})


def _end_overdue(work: Work) -> int:
    with connection.cursor() as cursor:
        cursor.execute(OVERDUE, [work.agent.pk, GRACE_S, AT_ONCE])
        rows = cursor.fetchall()
    ended = 0
    for run_id, fence, kind in rows:
        if end_overdue(run_id, fence):
            ended += 1
            text = f"The {kind} run {run_id} was past its time limit and its executor did not stop it: ended."
            _tell(work, "run_ended", text, run_id)
    return ended


def _notice_recovered(work: Work) -> int:
    runs = _live(work).filter(recoveries__gte=MANY_RECOVERIES)
    return sum(
        _tell(work, "run_recovered", f"The {kind} run {run_id} lost its executor {times} times.", run_id)
        for run_id, kind, times in runs.values_list("pk", "kind", "recoveries")[:AT_ONCE]
    )


def _notice_silent(work: Work) -> int:
    """Leases that ran out minutes ago: no worker process is there to take the runs up."""
    silent = _live(work).filter(state=RunState.RUNNING, lease_expires_at__lt=timezone.now() - SILENT_FOR)
    return sum(
        _tell(work, "run_silent", f"The {kind} run {run_id} has no executor, and none takes it up.", run_id)
        for run_id, kind in silent.values_list("pk", "kind")[:AT_ONCE]
    )


def _notice_queued(work: Work) -> int:
    waiting = _live(work).filter(state=RunState.QUEUED, due_at__lt=timezone.now() - QUEUED_FOR)
    minutes = int(QUEUED_FOR.total_seconds() // 60)
    return sum(
        _tell(
            work, "run_queued", f"The {kind} run {run_id} has waited over {minutes} minutes to start.", run_id
        )
        for run_id, kind in waiting.values_list("pk", "kind")[:AT_ONCE]
    )


def _live(work: Work) -> QuerySet[Run]:
    return Run.objects.filter(agent=work.agent, state__in=LIVE_STATES).order_by("pk")


def _tell(work: Work, event: str, text: str, run_id: int) -> bool:
    key, detail = f"{event}:{run_id}", {"run_id": run_id}
    agent = work.agent
    row = log.write(
        agent.organization_id, agent.pk, job=JOB, event=event, text=text, detail=detail, alarm=True, key=key
    )
    return row is not None
