"""The channel: the one process that speaks to people. It talks, and delegates everything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from accounts.logs import get_logger
from agents.context import history, status
from agents.context.prompts import channel_system
from agents.engine import wakeups
from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import Report, ReportState, Run, RunKind, RunState
from agents.processes import sentences
from agents.processes.base import Joined, Process, failure_of
from agents.processes.keeper import compact_when_kept, keep_after_turn, keep_set_aside
from agents.processes.view import View, look
from agents.services import happenings
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.types import ChatMessage, ChatResponse, StopReason, UserMessage
from messaging.models import Direction, Handling, Message
from messaging.services.messages import append_outbound, mark_handled
from secret_store.scrubbing.rolling import LONGEST_BEFORE

log = get_logger(__name__)

HOLDS = 1
"""How often a reply is held back because something new was said while it was written."""
CORRECTIONS = 2
TOOL_LIKE = re.compile(
    r"^\s*(\{\s*\"(name|tool|function|content)\"|<(tool_call|function)|(reply|skip|branch|spawn_worker|route|cancel)\s*\()"
)


class Channel(Process):
    llm_process: ClassVar[LlmProcess] = LlmProcess.CHANNEL
    max_steps: ClassVar[int] = 8

    def __init__(self, run: Run, claim: Claim) -> None:
        super().__init__(run, claim)
        assert run.conversation is not None
        self.conversation = run.conversation
        self.joined_seq = 0
        self.message_ids: list[int] = []
        self.report_ids: list[int] = []
        self.replied = False
        self.skip_reason = ""
        self._holds = 0
        self._view: View | None = None
        self._corrections = 0
        self._is_quiet = False
        self._gave = False

    def system(self) -> tuple[str, ...]:
        return channel_system(self.run.agent, self.conversation)

    def tools(self) -> dict[str, Tool]:
        return tools_for(RunKind.CHANNEL)

    def collect(self, *, first: bool) -> Joined:
        return self._collect_first() if first else self._collect_new()

    def _collect_first(self) -> Joined:
        self._view = view = look(self.run, self.claim, base_tokens=self.base_tokens, window=self.window)
        activity = status.look_around(self.conversation.pk)
        self._is_quiet = activity.is_quiet
        reports = status.pending_reports(self.conversation.pk) if activity.has_untold else []
        self._hear(view.new)
        self._told([line.text for line in view.lines if not line.inbound])
        parts = [
            status.status_block(self.conversation.pk) if activity.has_live else "",
            status.render_reports(reports),
            history.render_lines(view.new, most_tokens=view.most_tokens),
        ]
        now = UserMessage("\n\n".join(part for part in parts if part) or "[nothing new]")
        return Joined(
            messages=(*view.render_past(), now),
            volatile=1,
            seq=view.seq,
            report_ids=tuple(report.pk for report in reports),
        )

    def _collect_new(self) -> Joined:
        self._is_quiet = False
        lines = history.load_lines(self.conversation.pk, after_seq=self.joined_seq)
        inbound = [line for line in lines if line.inbound]
        reports = [r for r in status.pending_reports(self.conversation.pk) if r.pk not in self.report_ids]
        self._hear(inbound)
        parts = [status.render_reports(reports), history.render_lines(inbound)]
        text = "\n\n".join(part for part in parts if part)
        messages: tuple[ChatMessage, ...] = (
            (UserMessage(f"[arrived while you were working]\n{text}"),) if text else ()
        )
        seq = max([self.joined_seq, *(line.seq for line in lines)])
        return Joined(messages=messages, seq=seq, report_ids=tuple(report.pk for report in reports))

    def _hear(self, lines: Sequence[history.Line]) -> None:
        self.message_ids += [line.id for line in lines if line.unanswered]

    def join(self, joined: Joined) -> None:
        self.joined_seq = max(self.joined_seq, joined.seq)
        self.report_ids += joined.report_ids

    def resume(self, joined: Joined) -> None:
        self.join(joined)
        self.message_ids = list(
            Message.objects.filter(
                conversation_id=self.conversation.pk,
                direction=Direction.INBOUND,
                handling=Handling.UNANSWERED,
                seq__lte=self.joined_seq,
            ).values_list("id", flat=True)
        )

    def hold_back(self, held: Held) -> bool:
        """Say whether a reply must wait, because something was said while it was written."""
        if held.last_seq <= self.joined_seq or self._holds >= HOLDS:
            return False
        self._holds += 1
        return True

    def say(self, text: str, *, key: str, metadata: dict[str, Any] | None = None) -> Message:
        """Store a reply and its deliveries. Call inside the step's transaction."""
        message = append_outbound(
            self.conversation.pk,
            run_id=self.run.pk,
            author_name=self.run.agent.name,
            text=text,
            key=key,
            metadata=metadata,
            shield=self.shield,
        )
        self._step_over(message)
        self._told([message.text])
        self.replied = True
        return message

    def _told(self, texts: list[str]) -> None:
        self.said_before = "".join([self.said_before, *texts[-4:]])[-LONGEST_BEFORE:]

    def has_sent(self, message: Message) -> None:
        """Take note of a file that was sent: it is no news to this turn, and a turn that sends one has not been silent."""
        self._step_over(message)
        self._gave = True

    def _step_over(self, message: Message) -> None:
        if message.seq == self.joined_seq + 1:
            self.joined_seq = message.seq

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        text = response.message.text.strip()
        if TOOL_LIKE.match(text) or not text:
            self._corrections += 1
            if self._corrections <= CORRECTIONS:
                return "That was not sent: it looks like a tool call written as text. Call the tool itself; to speak, call reply."
            log.warning("channel.text_blocked", run=self.run.pk)
            self.say(sentences.NOT_ANSWERED, key=key)
            return Ending(RunState.SUCCEEDED, "partial", {"text": "blocked"})
        if response.stop_reason == StopReason.LENGTH and self._corrections < CORRECTIONS:
            self._corrections += 1
            return "That was not sent: it was cut off at the length limit. Say it again, much shorter."
        if self.hold_back(held):
            return "Not sent: something was said while you wrote. Read it and answer everything at once."
        self.say(text, key=key)
        return Ending(RunState.SUCCEEDED, "done")

    def step_limit(self) -> Ending:
        failure = {"class": "StepLimit", "message": sentences.TOO_LONG_TO_DECIDE}
        return Ending(RunState.FAILED, "failed", failure=failure)

    def stopped(self, state: RunState, reason: str) -> Ending:
        failure = {"class": "Stopped", "message": sentences.TIMED_OUT, "detail": reason}
        if state == RunState.CANCELLED:
            return Ending(state, "cancelled", {"reason": reason})
        return Ending(state, "failed", failure=failure)

    def failed(self, error: LLMError | None, message: str) -> Ending:
        return Ending(RunState.FAILED, "failed", failure=failure_of(error, message, otherwise="Crash"))

    def before_finish(self, ending: Ending, held: Held) -> None:
        if ending.failure:
            happenings.reply_failed(self.run, ending.failure)
            if not self.replied:
                self._apologise(ending)
        if self.message_ids:
            handling, reason = Handling.ANSWERED, ""
            if ending.state == RunState.CANCELLED:
                handling, reason = Handling.SKIPPED, "cancelled"
            elif ending.failure:
                reason = f"failed: {ending.failure['class']}"
            elif not self.replied and not self._gave:
                handling, reason = Handling.SKIPPED, self.skip_reason
            mark_handled(self.message_ids, handling=handling, run_id=self.run.pk, reason=reason)
        if self.report_ids and ending.state != RunState.CANCELLED:
            Report.objects.filter(pk__in=self.report_ids).update(
                state=ReportState.TOLD, told_by_id=self.run.pk
            )

    def _apologise(self, ending: Ending) -> None:
        """Say in plain words that it failed, and pass on untold results as they are."""
        assert ending.failure is not None
        self._hear_all()
        if not self.message_ids and not self.report_ids:
            return
        parts = [
            f"The {report.run.kind} “{report.run.title}” has finished ({report.outcome}):\n\n{report.text}"
            for report in Report.objects.filter(pk__in=self.report_ids).select_related("run").order_by("id")
        ]
        if self.message_ids:
            parts.append(str(ending.failure["message"]))
        log.warning("channel.failed", run=self.run.pk, **ending.failure)
        self.say("\n\n".join(parts), key=f"run{self.run.pk}.failure")

    def _hear_all(self) -> None:
        """A run that failed before its first step has heard nothing yet; the apology answers what is there."""
        if self.joined_seq == 0 and not self.report_ids:
            joined = self._collect_first()
            self.join(joined)

    def after_finish(self, ending: Ending, held: Held) -> None:
        if not ending.failure:
            self._tidy_up(held)
        if self._is_quiet and held.last_seq <= self.joined_seq:
            return  # Nothing was said, and nobody was there who could have finished.
        if _has_leftovers(self.conversation.pk):
            wakeups.ensure_channel_run(
                self.conversation,
                delay_s=wakeups.coalesce_delay_s(self.conversation),
                user_id=self.run.requester_user_id,
                person_id=self.run.requester_person_id,
            )

    def _tidy_up(self, held: Held) -> None:
        """Start what the turn shows to be due: keeping what was said, and summarising what must leave the window."""
        view = self._view
        if view is not None and view.cut is not None:
            compact_when_kept(self.run, self.conversation, from_seq=view.past.head_seq + 1, to_seq=view.cut)
        elif view is not None and view.set_aside:
            keep_set_aside(self.run, self.conversation, until=view.set_aside)
        keep_after_turn(self.run, self.conversation, last_seq=held.last_seq, told=len(self.report_ids))

    def streams_to_people(self) -> bool:
        return True


def _has_leftovers(conversation_id: int) -> bool:
    """Say whether something came that this run has not taken."""
    unanswered = Message.objects.filter(conversation_id=conversation_id, handling=Handling.UNANSWERED)
    untold = Report.objects.filter(
        conversation_id=conversation_id, state=ReportState.PENDING, run__report_to=None
    )
    return bool(unanswered.values("pk")[:1].union(untold.values("pk")[:1], all=True))
