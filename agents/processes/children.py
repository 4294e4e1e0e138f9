"""What branches and workers share: a report to the conversation that started them."""

from __future__ import annotations

from agents.engine import waits, wakeups
from agents.engine.claims import Held
from agents.loop import Ending
from agents.models import Report, RunState
from agents.processes.base import Process, failure_of
from agents.services import happenings
from llm.errors import LLMError
from messaging.models import Conversation


class Child(Process):
    """A process with a parent conversation. A cancelled child reports nothing: whoever cancelled it knows."""

    def stopped(self, state: RunState, reason: str) -> Ending:
        if state == RunState.CANCELLED:
            return Ending(state, "cancelled", {"reason": reason})
        if state == RunState.TIMED_OUT:
            return self._unfinished(state, "It ran out of time before it was finished.")
        return self._unfinished(state, "It was interrupted too often and was given up.")

    def failed(self, error: LLMError | None, message: str) -> Ending:
        return Ending(
            RunState.FAILED, "failed", {"text": message}, failure_of(error, message, otherwise="Crash")
        )

    def step_limit(self) -> Ending:
        return self._unfinished(
            RunState.FAILED, f"It made {self.max_steps} steps without finishing and was stopped."
        )

    def _unfinished(self, state: RunState, why: str) -> Ending:
        status = f" Its last status was: {self.run.status_text}" if self.run.status_text else ""
        return Ending(state, "failed", {"text": why + status}, {"class": "Unfinished", "message": why})

    def before_finish(self, ending: Ending, held: Held) -> None:
        if ending.state != RunState.CANCELLED and self._is_heard() and self.run.conversation_id is not None:
            number = self.run.reports.count() if self.run.interactive else 0
            _, new = Report.objects.get_or_create(
                run_id=self.run.pk,
                number=number,
                defaults={
                    "organization_id": self.run.organization_id,
                    "conversation_id": self.run.conversation_id,
                    "outcome": ending.outcome,
                    "text": str(ending.result.get("text", "")),
                },
            )
            if new:
                happenings.child_ended(self.run, ending, number=number)

    def _is_heard(self) -> bool:
        """Say whether whoever it reports to is still there; a conversation always is."""
        return self.run.report_to is None or self.run.report_to.is_live

    def after_finish(self, ending: Ending, held: Held) -> None:
        if self.run.report_to_id is not None:
            waits.wake(self.run.report_to_id)
            return
        if ending.state != RunState.CANCELLED and self.run.conversation_id is not None:
            wakeups.ensure_channel_run(
                Conversation.objects.get(pk=self.run.conversation_id),
                delay_s=wakeups.REPORT_DEBOUNCE_S,
                user_id=self.run.requester_user_id,
                person_id=self.run.requester_person_id,
            )
