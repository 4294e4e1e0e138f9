"""The cortex chat: an administrator asks the system about itself.

It is a channel like any other, so it streams, keeps its history, is compacted and recovers as they do; but it holds tools that
look into the system instead of those that delegate, and has no memory and no persona. What may be seen is decided by the tools,
for whoever asks, at the call: see `agents/tools/looking.py`.
"""

from __future__ import annotations

from typing import ClassVar

from agents.context.prompts import render
from agents.processes.channel import Channel
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.models import Process as LlmProcess
from messaging.models import Conversation, ConversationKind

SETTING = "cortex"


def is_cortex_chat(conversation: Conversation | None) -> bool:
    return (
        conversation is not None
        and conversation.kind == ConversationKind.DM
        and conversation.settings.get(SETTING) is True
    )


class CortexChat(Channel):
    llm_process: ClassVar[LlmProcess] = LlmProcess.CORTEX
    max_steps: ClassVar[int] = 16

    def system(self) -> tuple[str, ...]:
        return (render("cortex", agent=self.run.agent),)

    def tools(self) -> dict[str, Tool]:
        return tools_for(SETTING)
