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
from realtime.models import NoticeKind
from realtime.notices.services import Subject, notify


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

    def after_finish(self, ending: Ending, held: Held) -> None:
        super().after_finish(ending, held)
        run = self.run
        if (
            run.requester_user_id is None
            or run.report_to_id is not None
            or ending.state == RunState.CANCELLED
        ):
            return
        done = ending.state == RunState.SUCCEEDED
        notify(
            run.organization_id,
            [run.requester_user_id],
            kind=NoticeKind.DONE if done else NoticeKind.FAILURE,
            key=f"colleague:{run.conversation_id}:{run.agent_id}",
            title=f"{run.agent.name} {'has done' if done else 'could not do'} what it was asked",
            subject=Subject("run", run.pk),
            conversation_id=run.conversation_id,
        )

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        return Ending(RunState.SUCCEEDED, "done", {"text": response.message.text.strip()})
