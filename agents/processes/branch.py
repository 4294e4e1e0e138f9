"""The branch: thinks about one question with a copy of the conversation, and returns a conclusion."""

from __future__ import annotations

from typing import ClassVar

from agents.context import history
from agents.context.checkpoints import load_past
from agents.context.compaction import LINE_SHARE
from agents.context.history import indent
from agents.context.memory_mode import forbidden_tools, memory_mode
from agents.context.prompts import branch_system
from agents.engine.claims import Held
from agents.loop import Ending
from agents.models import RunKind, RunState
from agents.processes.base import Joined
from agents.processes.children import Child
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.models import Process as LlmProcess
from llm.types import ChatResponse, UserMessage


class Branch(Child):
    llm_process: ClassVar[LlmProcess] = LlmProcess.BRANCH
    max_steps: ClassVar[int] = 30
    waits_for_people: ClassVar[bool] = True

    def system(self) -> tuple[str, ...]:
        return branch_system(self.run.agent, self.run.conversation)

    def tools(self) -> dict[str, Tool]:
        without = forbidden_tools(memory_mode(self.run.conversation)) | frozenset(self.lacking)
        held = tools_for(RunKind.BRANCH, without)
        return {**held, **self.outside_tools}

    def collect(self, *, first: bool) -> Joined:
        if not first:
            return Joined()
        fork = self.run.fork_seq or 0
        assert self.run.conversation_id is not None
        past = load_past(self.run.conversation_id, until_seq=fork)
        lines = history.load_lines(self.run.conversation_id, after_seq=past.head_seq, until_seq=fork)
        before = [UserMessage(block)] if (block := past.render(window=self.window)) else []
        most = int(self.window * LINE_SHARE)
        task = UserMessage(f"{self._job()}[your question]\n{self.run.input['task']}")
        return Joined(
            messages=(*before, *history.render_history(lines, most_tokens=most), task), volatile=1, seq=fork
        )

    def _job(self) -> str:
        """Return what the scheduled job is about that asks, which has no conversation to copy."""
        asker = self.run.report_to
        return f"[the job this is for]\n  {indent(asker.input['prompt'])}\n" if asker else ""

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        return Ending(RunState.SUCCEEDED, "done", {"text": response.message.text.strip()})
