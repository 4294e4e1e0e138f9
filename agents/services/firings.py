"""Scheduled runs: starting them for the clock, and telling the ledger what came of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from accounts.models import Person
from agents.engine import waits, wakeups
from agents.loop import Ending
from agents.models import Agent, Run, RunKind, RunState, Step
from realtime.services import record
from tasks.models import Execution
from tasks.schedules.runs import Order
from tasks.services.schedules import results

MOST_NUDGED = 48
"""Whoever has finished a scheduled run goes on with the next, so a crowd needs no nudge for each. Threads that all begin at once
hinder each other and the clock beside them; with slow models the sweep adds more within seconds."""
EXECUTIONS = {
    RunState.SUCCEEDED: Execution.SUCCEEDED,
    RunState.CANCELLED: Execution.CANCELLED,
    RunState.TIMED_OUT: Execution.TIMED_OUT,
}


def start(orders: Sequence[Order]) -> dict[int, int]:
    """Create a run for each order and nudge it, in the caller's transaction; return run ids by firing."""
    now = timezone.now()
    waiting = Run.objects.filter(kind=RunKind.CRON, state=RunState.QUEUED).count()
    people = {
        (person.organization_id, person.user_id): person.pk
        for person in Person.objects.filter(user_id__in={order.owner_id for order in orders})
    }
    runs = Run.objects.bulk_create(
        Run(
            organization_id=order.organization_id,
            agent_id=order.agent_id,
            conversation_id=order.conversation_id,
            requester_user_id=order.owner_id,
            requester_person_id=people.get((order.organization_id, order.owner_id)),
            kind=RunKind.CRON,
            title=order.name[:200],
            input={
                "firing_id": order.firing_id,
                "schedule_id": order.schedule_id,
                "prompt": order.prompt,
                "time_zone": order.time_zone,
                "due_at": order.due_at.isoformat(),
                "timeout_s": order.timeout_s,
            },
            origin_key=f"firing{order.firing_id}",
            due_at=now,
            active_limit_s=order.timeout_s,
        )
        for order in orders
    )
    for run in runs:
        record(run.organization_id, wakeups.run_changed(run))
    for run in runs[: max(0, MOST_NUDGED - waiting)]:
        wakeups.nudge(run.pk, run.kind, run.conversation_id)
    return {order.firing_id: run.pk for order, run in zip(orders, runs, strict=True)}


def stop(run_id: int, reason: str) -> None:
    """Cancel a run that has not begun. The caller holds its conversation."""
    from agents.services.runs import request_cancel

    run = Run.objects.select_for_update(of=("self",)).select_related("conversation").get(pk=run_id)
    if run.state == RunState.QUEUED and not run.cancel_requested_at:
        request_cancel(run, reason=reason)


def agents_on(agent_ids: Collection[int]) -> set[int]:
    return set(Agent.objects.filter(pk__in=agent_ids, enabled=True).values_list("pk", flat=True))


def was_stopped(run: Run, *, reason: str) -> None:
    """Tell the ledger of a run that was closed while nobody executed it. The caller holds its conversation."""
    waits.stop_helpers(run, reason=reason)
    agent = Agent.objects.get(pk=run.agent_id)
    results.end(
        run.input["firing_id"],
        results.Result(
            Execution.CANCELLED, agent.name, run.pk, note=f"Stopped: {reason}", cost_usd=cost_of(run)
        ),
    )


def has_ended(run: Run, ending: Ending, *, text: str, note: str, cost_usd: Decimal | None) -> None:
    """Tell the ledger how a run ended, in its terminal transaction."""
    failure = str(ending.failure["message"]) if ending.failure else ""
    results.end(
        run.input["firing_id"],
        results.Result(
            execution=EXECUTIONS.get(RunState(ending.state), Execution.FAILED),
            speaker=run.agent.name,
            run_id=run.pk,
            text=text,
            note=note,
            failure=failure,
            cost_usd=cost_usd,
        ),
    )


def cost_of(run: Run) -> Decimal | None:
    """Return what the run and its children cost; None where one of their steps is unpriced."""
    costs = list(
        Step.objects.filter(Q(run_id=run.pk) | Q(run__report_to_id=run.pk)).values_list("cost_usd", flat=True)
    )
    if any(cost is None for cost in costs):
        return None
    return sum((cost for cost in costs if cost is not None), Decimal(0))
