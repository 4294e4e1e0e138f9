"""What people may do to a run: cancel it, or start it again."""

from __future__ import annotations

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.services import audit
from agents import queries
from agents.engine import waits, wakeups
from agents.models import LIVE_STATES, Run, RunKind, RunState
from agents.questions import services as questions
from agents.services import firings
from agents.services.attempts import is_bound
from agents.states import check_transition
from messaging.models import Handling, Message
from messaging.services.messages import mark_handled
from realtime.services import record, unit_of_work
from tasks.models import Outcome
from tasks.services import starting
from tasks.services.approvals.asking import withdraw_of_run


def cancel_run(actor: Actor, run_id: int, *, reason: str = "", as_administrator: bool = False) -> Run:
    """Stop a run. A queued or waiting one is closed at once, a running one within about a second.

    Cancelling twice, or what has ended already, changes nothing. Those who take part in its conversation may;
    `as_administrator`, an admin of the organization may without being in it.
    """
    run = _find(actor, run_id, as_administrator)
    with unit_of_work():
        _lock_conversation(run)
        run = Run.objects.select_for_update(of=("self",)).select_related("conversation").get(pk=run.pk)
        if run.state in LIVE_STATES and not run.cancel_requested_at:
            request_cancel(run, reason=reason or f"cancelled by {actor.user}")
            audit.record(actor, actor.organization, "run.cancelled", target=f"run:{run.pk}", reason=reason)
    return run


def request_cancel(run: Run, *, reason: str) -> None:
    """Close a run that nobody executes, or ask its executor to stop. The caller holds conversation and row."""
    run.cancel_requested_at, run.cancel_reason = timezone.now(), reason[:300]
    changed = ["cancel_requested_at", "cancel_reason"]
    if run.state in (RunState.QUEUED, RunState.WAITING):
        check_transition(run.state, RunState.CANCELLED)
        run.state, run.finished_at, run.outcome = RunState.CANCELLED, timezone.now(), "cancelled"
        changed += ["state", "finished_at", "outcome"]
    run.save(update_fields=changed)
    if run.state == RunState.CANCELLED:
        withdraw_of_run(run.pk, reason="the run that asked was cancelled")
        questions.withdraw_of_run(run.pk)
    if run.state == RunState.CANCELLED and run.kind == RunKind.CHANNEL:
        _leave_unanswered(run)
    if run.state == RunState.CANCELLED and is_bound(run):
        starting.settle(run.pk, Outcome.CANCELLED, reason)
    if run.state == RunState.CANCELLED and run.kind == RunKind.CRON:
        firings.was_stopped(run, reason=reason)
    if run.state == RunState.CANCELLED and run.report_to_id is not None:
        waits.wake(run.report_to_id)
    record(run.organization_id, wakeups.run_changed(run))


def retry_run(actor: Actor, run_id: int, *, as_administrator: bool = False) -> Run:
    """Start a failed, timed-out or cancelled branch or worker again, as a new run with the same task."""
    run = _find(actor, run_id, as_administrator)
    if run.state in LIVE_STATES:
        raise Conflict("This run has not ended yet.")
    if is_bound(run):
        raise Conflict(f"This run worked on task #{run.input['task_number']}. Start the task again instead.")
    if run.kind not in (RunKind.BRANCH, RunKind.WORKER):
        raise Conflict("A reply cannot be run again; send the message once more.")
    with unit_of_work():
        _lock_conversation(run)
        tries = Run.objects.filter(origin_key__startswith=f"retry{run.pk}.").count()
        child = wakeups.start_child(
            run,
            kind=RunKind(run.kind),
            task=run.input["task"],
            key=f"retry{run.pk}.{tries}",
            active_limit_s=run.active_limit_s,
            fork_seq=run.fork_seq,
            interactive=run.interactive,
        )
        audit.record(actor, actor.organization, "run.retried", target=f"run:{run.pk}", new_run=child.pk)
    return child


def requeue_run(actor: Actor, run_id: int, *, as_administrator: bool = False) -> Run:
    """Nudge a run that is queued, in case nobody has looked at it."""
    run = _find(actor, run_id, as_administrator)
    if run.state != RunState.QUEUED:
        raise Conflict("Only a queued run can be nudged.")
    wakeups.nudge(run.pk, run.kind, run.conversation_id)
    return run


def _find(actor: Actor, run_id: int, as_administrator: bool) -> Run:
    return (
        queries.get_run_to_administer(actor, run_id) if as_administrator else queries.get_run(actor, run_id)
    )


def _leave_unanswered(run: Run) -> None:
    """A channel run that was cancelled before it began: what it would have answered is marked as skipped."""
    assert run.conversation_id is not None
    open_ids = list(
        Message.objects.filter(conversation_id=run.conversation_id, handling=Handling.UNANSWERED).values_list(
            "id", flat=True
        )
    )
    if open_ids:
        mark_handled(open_ids, handling=Handling.SKIPPED, run_id=run.pk, reason="cancelled")


def _lock_conversation(run: Run) -> None:
    if run.conversation_id is not None:
        wakeups.hold_conversation(run.conversation_id)
