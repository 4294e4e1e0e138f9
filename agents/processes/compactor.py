"""The compactor: summarises what is about to leave the window, while the conversation goes on.

It works from a range of messages, or from checkpoints to roll up, and swaps its summary in only if nobody was faster.
"""

from __future__ import annotations

from typing import ClassVar

from agents.context import history
from agents.context.compaction import LINE_SHARE
from agents.context.fit import shorten
from agents.context.prompts import compactor_system
from agents.engine import wakeups
from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import Checkpoint, Run, RunKind, RunState
from agents.processes.base import Joined, Process
from agents.services import checkpoints
from agents.tools.base import Tool
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.types import ChatResponse, UserMessage

ACTIVE_LIMIT_S = 180
TEXT_SHARE = 0.5
"""The share of the compactor's own window that the text to summarise may take."""
SUMMARY_CHARACTERS = 4_000


class Compactor(Process):
    llm_process: ClassVar[LlmProcess] = LlmProcess.COMPACTOR
    max_steps: ClassVar[int] = 1
    governed: ClassVar[bool] = False

    def system(self) -> tuple[str, ...]:
        return (compactor_system(self.run.agent, rolling_up="checkpoints" in self.run.input),)

    def tools(self) -> dict[str, Tool]:
        return {}

    def __init__(self, run: Run, claim: Claim) -> None:
        super().__init__(run, claim)
        self.read_seq = 0

    def collect(self, *, first: bool) -> Joined:
        most = int(self.window * TEXT_SHARE)
        if "checkpoints" in self.run.input:
            text = "\n\n".join(f"{row.title}\n{row.summary}" for row in self._rows())
            return Joined(messages=(UserMessage(shorten(text, most)),), volatile=1)
        lines = self._lines(most)
        text = history.render_lines(lines, most_tokens=int(self.window * LINE_SHARE))
        seq = lines[-1].seq if lines else self.run.input["to_seq"]
        return Joined(messages=(UserMessage(text),), volatile=1, seq=seq)

    def _lines(self, most_tokens: int) -> list[history.Line]:
        """Return the part of the range that can be read in one go; the next compaction takes what is left."""
        assert self.run.conversation_id is not None
        lines = history.load_lines(
            self.run.conversation_id,
            after_seq=self.run.input["from_seq"] - 1,
            until_seq=self.run.input["to_seq"],
        )
        line_tokens = int(self.window * LINE_SHARE)
        return history.take_fitting(lines, most_tokens=most_tokens, line_tokens=line_tokens)

    def join(self, joined: Joined) -> None:
        self.read_seq = max(self.read_seq, joined.seq)

    def resume(self, joined: Joined) -> None:
        self.join(joined)

    def _rows(self) -> list[Checkpoint]:
        ids = self.run.input["checkpoints"]
        return list(Checkpoint.objects.filter(pk__in=ids, rolled_into=None).order_by("from_seq"))

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        first, _, rest = response.message.text.strip().partition("\n")
        title = first.removeprefix("Title:").strip(" #*")
        summary = (rest.strip() or first)[:SUMMARY_CHARACTERS]
        return Ending(RunState.SUCCEEDED, "done", {"title": title[:80], "text": summary})

    def step_limit(self) -> Ending:
        return self.failed(None, "It gave no summary.")

    def stopped(self, state: RunState, reason: str) -> Ending:
        return Ending(state, "cancelled" if state == RunState.CANCELLED else "failed", {"reason": reason})

    def failed(self, error: LLMError | None, message: str) -> Ending:
        failure = {"class": type(error).__name__ if error else "Crash", "message": message}
        return Ending(RunState.FAILED, "failed", failure=failure)

    def before_finish(self, ending: Ending, held: Held) -> None:
        if ending.state != RunState.SUCCEEDED:
            return
        made = self._swap(ending.result["title"], ending.result["text"])
        if made is None:
            ending.result["declined"] = "The conversation was compacted meanwhile."

    def _swap(self, title: str, summary: str) -> Checkpoint | None:
        run = self.run
        assert run.conversation_id is not None
        if "checkpoints" in run.input:
            rows = self._rows()
            if len(rows) != len(run.input["checkpoints"]):
                return None
            return checkpoints.roll_up(run, rows=rows, title=title, summary=summary)
        return checkpoints.add_checkpoint(
            run,
            organization_id=run.organization_id,
            conversation_id=run.conversation_id,
            from_seq=run.input["from_seq"],
            to_seq=self.read_seq,
            title=title,
            summary=summary,
        )

    def after_finish(self, ending: Ending, held: Held) -> None:
        assert self.run.conversation_id is not None
        if ending.state == RunState.SUCCEEDED:
            start_roll_up(self.run)


def start_compaction(parent: Run, *, from_seq: int, to_seq: int) -> None:
    """Start summarising a range in the background, unless something is being summarised already."""
    if not checkpoints.has_live_compaction(parent.conversation_id or 0):
        wakeups.start_upkeep(
            parent,
            kind=RunKind.COMPACTION,
            title=f"Messages {from_seq} to {to_seq}",
            values={"from_seq": from_seq, "to_seq": to_seq},
            active_limit_s=ACTIVE_LIMIT_S,
        )


def start_roll_up(parent: Run) -> None:
    """Start summing up the oldest checkpoints, if there are too many."""
    rows = checkpoints.due_for_roll_up(parent.conversation_id or 0)
    if rows:
        wakeups.start_upkeep(
            parent,
            kind=RunKind.COMPACTION,
            title=f"Summaries {rows[0].from_seq} to {rows[-1].to_seq}",
            values={"checkpoints": [row.pk for row in rows]},
            active_limit_s=ACTIVE_LIMIT_S,
        )
