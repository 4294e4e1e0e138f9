"""What an approved tool call is to the runs: waking the run that waits for it, or making the call for a channel.

A channel never waits, because people who write meanwhile must be answered. Its call is made in the transaction of the
verdict instead, and the conversation is told by a report.
"""

from __future__ import annotations

from django.utils import timezone

from agents.engine import wakeups
from agents.engine.claims import Claim, Held
from agents.errors import ToolFailed
from agents.models import LIVE_STATES, CallState, Policy, Report, Run, RunState, ToolCall
from agents.processes.registry import PROCESSES
from agents.tools.authority import check_authority
from agents.tools.base import ToolContext
from agents.tools.gate import Gate
from agents.tools.permits import Call, Permits, refusal_of
from messaging.models import Conversation
from tasks.models import Approval, ApprovalState
from tasks.services.approvals.errors import ActionChanged
from tasks.services.approvals.kinds import Executor, hold_conversation


def hold(approval: Approval) -> None:
    """Lock the conversation and the run, in this order."""
    hold_conversation(approval)
    Run.objects.select_for_update(of=("self",)).filter(pk=approval.run_id or 0).first()


def waits(approval: Approval) -> bool:
    """Say whether a run is there that takes up the call itself."""
    run = _run_of(approval)
    return run is not None and PROCESSES[run.kind].waits_for_people and run.state in LIVE_STATES


def check(approval: Approval) -> None:
    """Raise ActionChanged unless the call is still there, still allowed to be asked for, and exactly what was shown."""
    call = _call_of(approval)
    try:
        check_authority(call.run, call.tool.name)
    except ToolFailed as error:
        raise ActionChanged(str(error)) from None
    if Permits(call.context.process).policy(call.tool) == Policy.DISABLE:
        raise ActionChanged("the tool was switched off meanwhile")
    if call.digest != approval.digest or call.preview.basis != approval.basis:
        raise ActionChanged("the action is not the one that was approved")


def execute(approval: Approval) -> str:
    """Make a channel's call, inside the verdict's transaction, and report it to the conversation."""
    call = _call_of(approval)
    row = ToolCall.objects.get(key=approval.origin_key, run=call.run, state=CallState.WAITING)
    assert call.context.held is not None
    made = Gate(call.context.process).run_approved(row, call.tool, call.parsed, call.context.held)
    if made.state != CallState.SUCCEEDED:
        raise ActionChanged(made.result)
    ToolCall.objects.filter(pk=row.pk).update(
        state=made.state,
        result=made.result,
        redactions=made.redactions,
        allowed_by=f"approval:{approval.pk}",
        finished_at=timezone.now(),
    )
    _report(call.run, "done", f"Approved and done: {approval.title}. {made.result}")
    return made.result


def told(approval: Approval) -> None:
    """Wake the run that waits, or tell a conversation what became of its channel's call."""
    if approval.is_pending or approval.state == ApprovalState.EXECUTED:
        return
    run = _run_of(approval)
    if run is None:
        return
    if PROCESSES[run.kind].waits_for_people and run.state in LIVE_STATES:
        if run.state == RunState.WAITING and run.waiting_for:
            wakeups.requeue(run)
        return
    if approval.state == ApprovalState.APPROVED:
        return
    closed = ToolCall.objects.filter(key=approval.origin_key, run_id=run.pk, state=CallState.WAITING).update(
        state=CallState.REFUSED, result=refusal_of(approval), finished_at=timezone.now()
    )
    if closed and not PROCESSES[run.kind].waits_for_people:
        _report(run, "failed", f"Not done: {approval.title}. {refusal_of(approval)}")


def _run_of(approval: Approval) -> Run | None:
    rows = Run.objects.filter(pk=approval.run_id or 0, organization_id=approval.organization_id)
    return rows.select_related("agent", "conversation").first()


def _call_of(approval: Approval) -> Call:
    """Return the recorded call, its arguments validated anew."""
    run = _run_of(approval)
    row = ToolCall.objects.filter(
        key=approval.origin_key, organization_id=approval.organization_id, state=CallState.WAITING
    ).first()
    if run is None or row is None or row.run_id != run.pk:
        raise ActionChanged("the call is not waiting any more")
    process = PROCESSES[run.kind](run, Claim(run.pk, run.conversation_id, run.fence, run.active_limit_s))
    tool = process.tools().get(row.name)
    if tool is None or not tool.transactional or tool.ends_run:
        raise ActionChanged("this tool cannot be called here any more")
    last_seq = run.conversation.last_seq if run.conversation else 0
    context = ToolContext(
        run=run,
        process=process,
        key=row.key,
        cancel=process.claim.cancel,
        workspace=process.workspace,
        held=Held(last_seq=last_seq, cancel_requested=False),
    )
    return Call(tool, tool.arguments.model_validate(row.arguments), row.key, context)


def _report(run: Run, outcome: str, text: str) -> None:
    if run.conversation_id is None:
        return
    Report.objects.create(
        organization_id=run.organization_id,
        conversation_id=run.conversation_id,
        run=run,
        number=run.reports.count(),
        outcome=outcome,
        text=text,
    )
    wakeups.ensure_channel_run(
        Conversation.objects.get(pk=run.conversation_id),
        delay_s=wakeups.REPORT_DEBOUNCE_S,
        user_id=run.requester_user_id,
        person_id=run.requester_person_id,
    )


TOOL_CALL = Executor(
    label="Tool call", check=check, execute=execute, told=told, waits=waits, hold=hold, icon="wrench"
)
