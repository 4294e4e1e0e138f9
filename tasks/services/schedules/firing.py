"""Starting what fires, and stopping what has not begun."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from tasks.models import Execution, Firing, Schedule
from tasks.schedules.runs import Order, start_runs, stop_run

STARTED = """
update tasks_firing f set run_id = v.run_id, execution = 'queued'
  from unnest(%s::bigint[], %s::bigint[]) as v(id, run_id) where f.id = v.id
"""


def start(firings: Sequence[Firing]) -> None:
    """Start a run for each firing, in the caller's transaction. Their schedules are loaded and held."""
    orders = [_order(firing) for firing in firings if firing.execution == Execution.QUEUED]
    run_ids = start_runs(orders)
    started = [firing for firing in firings if firing.pk in run_ids]
    for firing in started:
        firing.run_id, firing.execution = run_ids[firing.pk], Execution.QUEUED
    if started:
        with connection.cursor() as cursor:
            cursor.execute(STARTED, [list(run_ids), list(run_ids.values())])


def start_waiting(schedule: Schedule) -> Firing | None:
    """Start the oldest firing that waited for the one before; the caller holds the schedule."""
    waiting = Firing.objects.filter(schedule_id=schedule.pk, execution=Execution.WAITING).order_by("due_at")
    firing = waiting.first()
    if firing is None or _is_under_way(schedule.pk):
        return None
    firing.schedule, firing.execution = schedule, Execution.QUEUED
    start([firing])
    return firing


def _is_under_way(schedule_id: int) -> bool:
    return Firing.objects.filter(
        schedule_id=schedule_id, execution__in=[Execution.QUEUED, Execution.RUNNING]
    ).exists()


def stop_unstarted(schedule: Schedule, *, reason: str) -> None:
    """Cancel what was fired and has not begun; the caller holds the schedule. What runs already goes on to its end."""
    waiting = Firing.objects.filter(schedule_id=schedule.pk, execution=Execution.WAITING)
    waiting.update(execution=Execution.CANCELLED, outcome=reason)
    for run_id in Firing.objects.filter(
        schedule_id=schedule.pk, execution=Execution.QUEUED, run_id__isnull=False
    ).values_list("run_id", flat=True):
        assert run_id is not None
        stop_run(run_id, reason)


def _order(firing: Firing) -> Order:
    schedule = firing.schedule
    assert schedule.owner_id is not None
    return Order(
        firing_id=firing.pk,
        schedule_id=schedule.pk,
        organization_id=schedule.organization_id,
        agent_id=schedule.agent_id,
        conversation_id=schedule.conversation_id,
        owner_id=schedule.owner_id,
        name=schedule.name,
        prompt=schedule.prompt,
        time_zone=schedule.time_zone,
        due_at=firing.due_at,
        timeout_s=schedule.timeout_s,
    )
