"""The colleague: another agent that was asked for something, along a link. It sees its task and no conversation.

It works under the requester's authority. What it recalls is what those may hear to whom its answer goes: the people of
the conversation that asked.
"""

from __future__ import annotations

from typing import ClassVar

from agents.context.memory_mode import forbidden_tools, memory_mode
from agents.context.prompts import colleague_system
from agents.engine.claims import Held
from agents.loop import Ending
from agents.models import RunKind, RunState
from agents.processes.base import Joined
from agents.processes.children import Child
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.models import Process as LlmProcess
from llm.types import ChatResponse, UserMessage


class Colleague(Child):
    llm_process: ClassVar[LlmProcess] = LlmProcess.BRANCH
    max_steps: ClassVar[int] = 30

    def system(self) -> tuple[str, ...]:
        return colleague_system(self.run.agent)

    def tools(self) -> dict[str, Tool]:
        held = tools_for(RunKind.COLLEAGUE, forbidden_tools(memory_mode(self.run.conversation)))
        return {**held, **self.outside_tools}

    def collect(self, *, first: bool) -> Joined:
        if not first:
            return Joined()
        asked_by = self.run.input["asked_by"]
        return Joined(messages=(UserMessage(f"[{asked_by} asks you]\n{self.run.input['task']}"),))

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        return Ending(RunState.SUCCEEDED, "done", {"text": response.message.text.strip()})
