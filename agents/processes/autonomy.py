"""An agent by itself: it looks at what woke it and at the board, does a little, and ends with a summary.

It has no conversation and nobody's ear. What it starts goes on without it, settles on the board, and wakes it again. An end
without a summary is a failure: what woke it waits again, and the agent rests longer each time.
"""

from __future__ import annotations

from typing import Any, ClassVar

from agents.autonomy import levels
from agents.autonomy.briefing import render_briefing
from agents.autonomy.ending import has_ended
from agents.context.prompts import autonomy_system
from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import Autonomy, Run, RunKind, RunState
from agents.processes.base import Joined, Process, failure_of
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.types import ChatResponse, UserMessage

NUDGES = 2
WARN_SHARE = 0.8
NO_SUMMARY = "It ended without a summary."
TIME_IS_SHORT = "[your time is nearly up]\nBegin nothing new. Call finish now."


class Autonomous(Process):
    llm_process: ClassVar[LlmProcess] = LlmProcess.BRANCH
    max_steps: ClassVar[int] = 30

    def __init__(self, run: Run, claim: Claim) -> None:
        super().__init__(run, claim)
        self._nudges = 0
        self._was_warned = False

    def system(self) -> tuple[str, ...]:
        return autonomy_system(self.run.agent)

    def tools(self) -> dict[str, Tool]:
        held = levels.tools_of(self.run)
        return {name: tool for name, tool in tools_for(RunKind.AUTONOMY).items() if name in held}

    def collect(self, *, first: bool) -> Joined:
        if first:
            row = Autonomy.objects.get(agent_id=self.run.agent_id)
            text = render_briefing(self.run, row, levels.standing_of(self.run.agent_id))
            return Joined(messages=(UserMessage(text),))
        if self._was_warned or self.claim.active_ms < self.claim.active_limit_s * 1_000 * WARN_SHARE:
            return Joined()
        self._was_warned = True
        return Joined(messages=(UserMessage(TIME_IS_SHORT),))

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        self._nudges += 1
        if self._nudges <= NUDGES:
            return "Nobody hears this. Go on with your tools, or call finish with what you saw, did and left."
        return self.failed(None, NO_SUMMARY)

    def summed_up(self, summary: str, actions: list[dict[str, Any]]) -> Ending:
        return Ending(RunState.SUCCEEDED, "done", {"summary": summary, "text": summary, "actions": actions})

    def step_limit(self) -> Ending:
        return self.failed(None, f"It made {self.max_steps} steps without a summary and was stopped.")

    def stopped(self, state: RunState, reason: str) -> Ending:
        if state == RunState.CANCELLED:
            return Ending(state, "cancelled", {"reason": reason})
        why = "It ran out of time." if state == RunState.TIMED_OUT else "It was interrupted too often."
        return Ending(state, "failed", {}, {"class": "Unfinished", "message": f"{why} {NO_SUMMARY}"})

    def failed(self, error: LLMError | None, message: str) -> Ending:
        return Ending(RunState.FAILED, "failed", {}, failure_of(error, message, otherwise="Unfinished"))

    def before_finish(self, ending: Ending, held: Held) -> None:
        why = str(ending.failure["message"]) if ending.failure else ""
        has_ended(self.run, ending.state, why=why)
