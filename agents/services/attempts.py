"""Where runs and the board meet: a worker's run takes a task, and its end settles run, attempt and task at once."""

from __future__ import annotations

from django.db import connection

from accounts.actor import Actor
from accounts.logs import get_logger
from accounts.services import audit
from accounts.services.people import person_for_user
from agents.engine import wakeups
from agents.loop import Ending
from agents.models import LIVE_STATES, Agent, Run, RunInput, RunKind, RunState
from agents.processes import limits
from messaging.queries import can_read_conversation
from realtime.services import unit_of_work
from tasks.errors import NotStartable
from tasks.models import Attempt, AuthorKind, Outcome, Task
from tasks.services import starting

log = get_logger(__name__)

MOST_AT_ONCE = 300
ENDS = {
    RunState.CANCELLED: Outcome.CANCELLED,
    RunState.TIMED_OUT: Outcome.TIMED_OUT,
    RunState.INTERRUPTED: Outcome.INTERRUPTED,
    RunState.FAILED: Outcome.FAILED,
}


def task_input(task: Task) -> dict[str, object]:
    """Return what a run keeps of the task it is bound to; the words it works by are read when it begins."""
    return {
        "task": f"Task #{task.number}: {task.title}",
        "task_id": task.pk,
        "task_number": task.number,
        "workspace": f"task-{task.pk}" if task.workspace == "task" else "",
        "worker_type": task.worker_type,
    }


def is_bound(run: Run) -> bool:
    return "task_id" in run.input


def start_for_person(actor: Actor, task: Task) -> int:
    """Make the run of a worker that a person starts. Its result is told in the task's conversation, if the person and
    the agent take part in it; else the task tells it."""
    agent = Agent.objects.filter(
        organization=actor.organization, pk=task.assignee_agent_id or 0, enabled=True
    ).first()
    if agent is None:
        raise NotStartable("The assigned agent is switched off.")
    told_there = (
        task.conversation is not None
        and task.conversation.agent_id == agent.pk
        and can_read_conversation(actor.user.pk, task.conversation.pk)
    )
    run = wakeups.start_run(
        organization_id=task.organization_id,
        agent=agent,
        conversation_id=task.conversation_id if told_there else None,
        user_id=actor.user.pk,
        person_id=person_for_user(actor.organization, actor.user).pk,
        kind=RunKind.WORKER,
        title=f"#{task.number} {task.title}"[:200],
        values=task_input(task),
        active_limit_s=limits.active_limit_s(agent, RunKind.WORKER),
    )
    return run.pk


def stop(actor: Actor, run_id: int, reason: str) -> None:
    """Ask a task's worker to stop; who may is decided where the task is known."""
    from agents.services.runs import request_cancel

    with unit_of_work():
        run = Run.objects.get(pk=run_id, organization=actor.organization)
        if run.conversation_id is not None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "select 1 from messaging_conversation where id = %s for no key update",
                    [run.conversation_id],
                )
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        if run.state in LIVE_STATES and not run.cancel_requested_at:
            request_cancel(run, reason=reason or f"stopped by {actor.user}")
            audit.record(actor, actor.organization, "run.cancelled", target=f"run:{run.pk}", reason=reason)


def tell(run_id: int, text: str, key: str) -> None:
    """Let a running worker read something at its next step."""
    run = Run.objects.filter(pk=run_id, state__in=LIVE_STATES).only("id", "organization_id").first()
    if run is not None:
        RunInput.objects.get_or_create(
            key=key, defaults={"organization_id": run.organization_id, "run_id": run_id, "text": text}
        )


def settle_ending(run: Run, ending: Ending) -> None:
    """Settle the task of a run that ends now, in the transaction of its end."""
    if is_bound(run) and ending.state not in LIVE_STATES:
        text = str(ending.result.get("text") or ending.result.get("reason") or "")
        starting.settle(run.pk, outcome_of(ending.state, ending.outcome), text)


def outcome_of(state: str, said: str) -> Outcome:
    """Return what a run's end means for its attempt."""
    if state == RunState.SUCCEEDED:
        return Outcome.PARTIAL if said == "partial" else Outcome.SUCCEEDED
    return ENDS[RunState(state)]


def settle_orphans() -> int:
    """Settle the attempts whose run has ended, or is gone, without having done so; return how many."""
    open_runs = list(
        Attempt.objects.filter(ended_at=None).order_by("id").values_list("run_id", flat=True)[:MOST_AT_ONCE]
    )
    if not open_runs:
        return 0
    runs = Run.objects.in_bulk(open_runs)
    count = 0
    for run_id in open_runs:
        run = runs.get(run_id)
        if run is not None and run.state in LIVE_STATES:
            continue
        outcome = outcome_of(run.state, run.outcome) if run else Outcome.INTERRUPTED
        text = str(run.result.get("text") or run.cancel_reason) if run else "Its run is gone."
        count += starting.settle(run_id, outcome, text, kind=AuthorKind.SYSTEM)
    if count:
        log.warning("attempts.settled_late", count=count)
    return count
