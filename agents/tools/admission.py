"""Which of a step's calls may run now, which wait for a person, and which are refused; the gate's door, before the tool.

Every function here is called in a fenced transaction of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from agents.errors import ToolFailed, ToolRetry
from agents.models import CallState, Policy
from agents.tools.base import ToolContext
from agents.tools.permits import Call, Permit, Permits
from tasks.models import Approval

if TYPE_CHECKING:
    from agents.engine.claims import Held
    from agents.processes.base import Process
    from agents.tools.gate import PreparedCall

LATER = (
    "This waits for a person's approval (approval {number}). It is not done yet. You will be told when it is; tell people"
    " that it waits, and do not call it again."
)
NEEDS_WORKER = (
    "This tool asks a person first, and a conversation must not wait for that. Give the task to a worker."
)


class Admission:
    """The door of one execution."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.permits = Permits(process)

    def admit(self, calls: list[tuple[PreparedCall, str]], held: Held) -> None:
        """Ask policies about the calls of a new step, in its transaction; each comes with its key.

        What a person has to decide is asked here. A run that waits also holds back every call after it, so that the
        order of the model is kept; another goes on, and is told that the call will be made later.
        """
        self.permits.look_again(held.has_policies)
        waiting = False
        for call, key in calls:
            if not call.is_open:
                continue
            asked = self.wanted(call, key)
            permit = self.permits.judge(asked, spends=not waiting)
            if permit.waits:
                waiting = self._ask(call, asked) or waiting
            elif permit.refusal:
                call.close(CallState.REFUSED, permit.refusal)
            elif waiting:
                call.state = CallState.WAITING
            elif self._lies_waiting(call, asked):
                waiting = True
            elif call.is_open:
                call.allowed_by = permit.allowed_by

    def settle(self, call: PreparedCall, key: str, held: Held) -> bool:
        """Decide about the first waiting call of a run, in a fenced transaction; False while it has to wait on."""
        self.permits.look_again(held.has_policies)
        asked = self.wanted(call, key)
        permit = self.permits.settle(asked)
        if permit.waits:
            return not self._ask(call, asked)
        if permit.refusal or not self._lies_waiting(call, asked):
            self._let(call, permit)
        return call.state != CallState.WAITING

    def ask_again(self, call: PreparedCall, key: str, held: Held) -> None:
        """Ask the policy once more for a call that other calls of its step were before; it may have changed meanwhile."""
        self.permits.look_again(held.has_policies)
        asked = self.wanted(call, key)
        policy = self.permits.policy(asked.tool)
        if policy == Policy.ALLOW or (policy == Policy.ASK and call.allowed_by):
            return
        permit = self.permits.judge(asked)
        if permit.waits:
            self._ask(call, asked)
        else:
            self._let(call, permit)

    def _lies_waiting(self, call: PreparedCall, question: Call) -> bool:
        """Begin what the call has to wait for, and say whether it waits; one that cannot even begin is closed."""
        waits = question.tool.waits
        if waits is None or not self.process.waits_for_people:
            return False
        try:
            if not waits(question.context, question.parsed):
                return False
        except (ToolRetry, ToolFailed) as error:
            call.close(CallState.FAILED, str(error))
            return False
        call.state = CallState.WAITING
        return True

    def _let(self, call: PreparedCall, permit: Permit) -> None:
        if call.is_closed:
            return
        if permit.refusal:
            call.close(CallState.REFUSED, permit.refusal)
        else:
            call.state, call.allowed_by = CallState.RUNNING, permit.allowed_by
            call.started_at = timezone.now()

    def _ask(self, call: PreparedCall, question: Call) -> bool:
        """Ask a person; True if the run has to wait for it now."""
        if not self.process.waits_for_people and not question.tool.transactional:
            call.close(CallState.REFUSED, NEEDS_WORKER)
            return False
        asked = self.permits.ask(question)
        if not isinstance(asked, Approval):
            call.close(CallState.REFUSED, asked)
            return False
        call.state = CallState.WAITING
        if self.process.waits_for_people:
            return True
        call.result = LATER.format(number=asked.pk)
        return False

    def wanted(self, call: PreparedCall, key: str) -> Call:
        """Return a checked call as permits see it."""
        assert call.tool is not None
        assert call.parsed is not None
        return Call(call.tool, call.parsed, key, context_of(self.process, key))


def context_of(process: Process, key: str, held: Held | None = None) -> ToolContext:
    """Return what a call of the process is handed."""
    return ToolContext(
        run=process.run,
        process=process,
        key=key,
        cancel=process.claim.cancel,
        workspace=process.workspace,
        held=held,
    )
