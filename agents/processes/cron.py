"""The scheduled job: a fresh channel-like process without history, whose words are delivered once, when it ends.

It hands work to branches and workers as a channel does, and their reports come to it, not to the conversation. While they are
at work it waits and holds no thread. When its time is up it gets one short turn to say what there is; then it ends, marked.
"""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone

from agents.context import status
from agents.context.history import indent
from agents.context.prompts import cron_system
from agents.engine import waits, wakeups
from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import Report, ReportState, Run, RunKind, RunState
from agents.processes.base import Joined, Process, failure_of
from agents.processes.channel import TOOL_LIKE
from agents.services import firings
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.types import ChatResponse, UserMessage
from tasks.services.schedules import results

NUDGES = 2
OUT_OF_TIME = "This ran out of time. What follows is what was finished by then."
TIME_IS_UP = "[your time is up]\nWhat your branches and workers had not finished was stopped. Reply now with what there is."


class Cron(Process):
    llm_process: ClassVar[LlmProcess] = LlmProcess.CHANNEL
    max_steps: ClassVar[int] = 60

    def __init__(self, run: Run, claim: Claim) -> None:
        super().__init__(run, claim)
        self.replies: list[str] = list(run.result.get("replies", ()))
        self.skipped = str(run.result.get("skipped", ""))
        self.report_ids: list[int] = []
        self.is_wrapping_up = bool(run.input.get("wrap_up"))
        self._nudges = 0
        self._was_told = False
        self._is_alone = False

    def system(self) -> tuple[str, ...]:
        return cron_system(self.run.agent)

    def tools(self) -> dict[str, Tool]:
        held = tools_for(RunKind.CRON)
        return {name: held[name] for name in ("reply", "skip")} if self.is_wrapping_up else held

    def collect(self, *, first: bool) -> Joined:
        assert self.run.conversation_id is not None
        if first:
            results.begin(self.run.input["firing_id"])
            if self.claim.fence == 1:
                return Joined(messages=(UserMessage(self._job()),))  # It has handed nothing on yet.
        reports = [
            report
            for report in status.pending_reports(self.run.conversation_id, report_to=self.run.pk)
            if report.pk not in self.report_ids
        ]
        parts = [
            self._job() if first else "",
            status.status_block(self.run.conversation_id, report_to=self.run.pk),
            status.render_reports(reports),
            TIME_IS_UP if self.is_wrapping_up and not self._was_told else "",
        ]
        self._was_told = self.is_wrapping_up
        text = "\n\n".join(part for part in parts if part)
        return Joined(
            messages=(UserMessage(text),) if text else (), report_ids=tuple(report.pk for report in reports)
        )

    def _job(self) -> str:
        zone = self.run.input["time_zone"]
        now = timezone.now().astimezone(ZoneInfo(zone))
        return (
            f"[scheduled job] {indent(self.run.title)}\nIt is {now:%A %Y-%m-%d %H:%M:%S} ({zone}).\n"
            f"[what to do]\n  {indent(self.run.input['prompt'])}"
        )

    def join(self, joined: Joined) -> None:
        self.report_ids += joined.report_ids

    def resume(self, joined: Joined) -> None:
        self.join(joined)

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        text = response.message.text.strip()
        if text and not TOOL_LIKE.match(text):
            self.replies.append(text)
            return self.turn_over()
        self._nudges += 1
        if self._nudges <= NUDGES:
            return "Nothing was kept: call reply with what should be delivered, wait for reports, or skip."
        return self.failed(None, "It ended without saying what came of the job.")

    def turn_over(self) -> Ending:
        """Return the end of a turn: wait while children are at work, else be done."""
        self._take_reports()
        may_have_helpers = self.claim.fence > 1 or self.run.has_started_children
        helpers = waits.helpers_of(self.run.pk) if may_have_helpers else waits.NONE
        self._is_alone = not helpers.exist
        if not self.is_wrapping_up and helpers.are_needed:
            return Ending(RunState.WAITING, "", self._kept())
        if self.is_wrapping_up:
            return self.stopped(RunState.TIMED_OUT, "deadline")
        if not self.replies and not self.skipped:
            return self.failed(None, "It ended without saying what came of the job.")
        return Ending(RunState.SUCCEEDED, "done", self._kept())

    def _take_reports(self) -> None:
        """Mark what this run was told as told; call inside the step's transaction."""
        if not self.report_ids:
            return
        Report.objects.filter(pk__in=self.report_ids, state=ReportState.PENDING).update(
            state=ReportState.TOLD, told_by_id=self.run.pk
        )

    def _kept(self) -> dict[str, Any]:
        return {"text": "\n\n".join(self.replies), "replies": self.replies, "skipped": self.skipped}

    def step_limit(self) -> Ending:
        return self.failed(None, f"It made {self.max_steps} steps without finishing and was stopped.")

    def stopped(self, state: RunState, reason: str) -> Ending:
        if state == RunState.TIMED_OUT and not self.is_wrapping_up:
            return Ending(RunState.WAITING, "", {**self._kept(), "time_is_up": True})
        if state == RunState.CANCELLED:
            return Ending(state, "cancelled", {**self._kept(), "reason": reason})
        why = "It ran out of time." if state == RunState.TIMED_OUT else "It was interrupted too often."
        return Ending(state, "failed", self._kept(), {"class": "Unfinished", "message": why})

    def failed(self, error: LLMError | None, message: str) -> Ending:
        return Ending(
            RunState.FAILED, "failed", self._kept(), failure_of(error, message, otherwise="Unfinished")
        )

    def before_finish(self, ending: Ending, held: Held) -> None:
        if ending.state == RunState.WAITING:
            return
        if not self._is_alone:
            waits.stop_helpers(self.run, reason="the job has ended")
        cost = self.cost_usd if self._is_alone else firings.cost_of(self.run)
        firings.has_ended(self.run, ending, text=self._delivered(ending), note=self.skipped, cost_usd=cost)

    def _delivered(self, ending: Ending) -> str:
        """Return the one message: everything said, and, where it did not end well, a word about that before it."""
        said = "\n\n".join(self.replies)
        if ending.state == RunState.CANCELLED:
            return ""
        if not ending.failure:
            return said
        if not said:
            said = "\n\n".join(self._unsaid())
        if not said:
            return ""
        word = (
            OUT_OF_TIME
            if ending.state == RunState.TIMED_OUT
            else f"{ending.failure['message']} This was finished:"
        )
        return f"_{word}_\n\n{said}"

    def _unsaid(self) -> list[str]:
        """Return the results of children as they are, where the model said nothing of them."""
        rows = Report.objects.filter(run__report_to_id=self.run.pk).select_related("run").order_by("id")
        return [f"{row.run.title} ({row.outcome}):\n\n{row.text}" for row in rows]

    def after_finish(self, ending: Ending, held: Held) -> None:
        if ending.state != RunState.WAITING:
            return
        if ending.result.get("time_is_up"):
            waits.wrap_up(self.run.pk)
        elif waits.helpers_of(self.run.pk).are_needed:
            self.run.due_at = waits.deadline_of(self.run)
            self.run.save(update_fields=["due_at"])
        else:
            wakeups.requeue(self.run)
