"""The one terminal write of a run, in one transaction with all that it causes."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from accounts.boundaries import reach
from accounts.models import Role
from agents.engine import wakeups
from agents.engine.claims import RUNNING_LIMITS, Claim, Held
from agents.errors import LostLease
from agents.loop import Ending
from agents.models import Run, RunKind, RunState
from agents.processes.base import Process
from agents.questions import services as questions
from agents.states import check_transition
from realtime.services import NewEvent, record
from tasks.services.approvals.asking import withdraw_of_run


def lay_to_wait(process: Process) -> Ending:
    """Let the run lie until a person has decided; it holds no thread, and its time stands still. Call inside `fenced`.

    Nothing is reported and nothing withdrawn: the run goes on where it is.
    """
    run = process.run
    check_transition(RunState.RUNNING, RunState.WAITING)
    ending = Ending(RunState.WAITING, run.outcome, run.result, run.failure)
    _close(run, process.claim, ending)
    record(run.organization_id, wakeups.run_changed(run))
    if run.conversation_id:
        wakeups.nudge_next(run.conversation_id, run.kind)
    return ending


def finish(process: Process, ending: Ending, held: Held) -> None:
    """Close the run, or lay it to wait. Call inside `fenced`; the fence is asked once more by the UPDATE itself."""
    run, claim = process.run, process.claim
    check_transition(RunState.RUNNING, ending.state)
    reach("end.before")
    process.before_finish(ending, held)
    if run.waiting_for:
        withdraw_of_run(run.pk, reason="the run that asked has ended")
        questions.withdraw_of_run(run.pk)
    _close(run, claim, ending)
    process.after_finish(ending, held)
    # What has no conversation is followed by nobody, but what an agent does by itself is by administrators.
    if run.kind == RunKind.AUTONOMY or (
        run.conversation_id and (run.kind != RunKind.CHANNEL or ending.failure)
    ):
        record(run.organization_id, wakeups.run_changed(run))
    if ending.state == RunState.CANCELLED:
        tell_of_stop(run)
    if run.kind in RUNNING_LIMITS and run.conversation_id:
        wakeups.nudge_next(run.conversation_id, run.kind)
    reach("end.written")


def tell_of_stop(run: Run) -> None:
    """Let administrators who stopped everything see it end, whatever conversation it was in.

    Stored, because it often happens while their page is still being opened.
    """
    stopped = NewEvent("autonomy.changed", {"agent_id": run.agent_id}, minimum_level=Role.ADMIN.level)
    record(run.organization_id, stopped)


def _close(run: Run, claim: Claim, ending: Ending) -> None:
    terminal = ending.state != RunState.WAITING
    values = {
        "state": ending.state,
        "outcome": ending.outcome,
        "result": ending.result,
        "failure": ending.failure,
        "lease_owner": "",
        "lease_expires_at": None,
        "finished_at": timezone.now() if terminal else None,
    }
    changed = Run.objects.filter(pk=run.pk, fence=claim.fence, state=RunState.RUNNING).update(
        **values, active_ms=F("active_ms") + claim.active_ms, prompt_id=run.prompt_id
    )
    if not changed:
        raise LostLease(f"run {run.pk} was closed elsewhere")
    for name, value in values.items():
        setattr(run, name, value)
