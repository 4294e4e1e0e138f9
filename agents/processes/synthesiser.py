"""Sums up a part of a day, or a day, for one audience: one call, no tools, nobody is told.

It is given events of exactly one audience, so what it writes may be told to whoever may hear all of them. The summary
takes their place in the transaction that ends the run, and only if all of them are still there.
"""

from __future__ import annotations

from typing import ClassVar

from agents.context.fit import shorten
from agents.context.prompts import synthesis_system
from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import Run, RunState, SynthesisKind
from agents.processes.base import Joined, Process
from agents.services import syntheses
from agents.tools.base import Tool
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.types import ChatResponse, UserMessage

TEXT_SHARE = 0.5


class Synthesiser(Process):
    llm_process: ClassVar[LlmProcess] = LlmProcess.CORTEX
    max_steps: ClassVar[int] = 1

    def __init__(self, run: Run, claim: Claim) -> None:
        super().__init__(run, claim)
        self.material = syntheses.Material.of(run)

    def system(self) -> tuple[str, ...]:
        daily = self.material.kind == SynthesisKind.DAILY
        most = syntheses.MOST_WORDS[self.material.kind]
        return (synthesis_system(self.run.agent, daily=daily, most_words=most),)

    def tools(self) -> dict[str, Tool]:
        return {}

    def collect(self, *, first: bool) -> Joined:
        text = shorten(self.material.render(), int(self.window * TEXT_SHARE))
        return Joined(messages=(UserMessage(text),), volatile=1)

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        text = response.message.text.strip()
        if not text:
            return self.failed(None, "It wrote nothing.")
        return Ending(RunState.SUCCEEDED, "done", {"text": syntheses.cut_words(text, self.material.kind)})

    def step_limit(self) -> Ending:
        return self.failed(None, "It gave no summary.")

    def stopped(self, state: RunState, reason: str) -> Ending:
        return Ending(state, "cancelled" if state == RunState.CANCELLED else "failed", {"reason": reason})

    def failed(self, error: LLMError | None, message: str) -> Ending:
        failure = {"class": type(error).__name__ if error else "Unfinished", "message": message}
        return Ending(RunState.FAILED, "failed", failure=failure)

    def before_finish(self, ending: Ending, held: Held) -> None:
        """Swap the summary in, or put the next try off; twice as long after each failure."""
        if ending.state != RunState.SUCCEEDED:
            syntheses.put_off(self.run)
        elif syntheses.swap_in(self.material, ending.result["text"], run=self.run) is None:
            del ending.result["text"]
            ending.result["declined"] = "What it tells was taken back meanwhile."
