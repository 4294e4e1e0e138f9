"""The coding worker: a worker whose task is done by a coding agent that others wrote, see `agents.coding`."""

from __future__ import annotations

import re
from functools import cached_property
from typing import ClassVar

from agents.coding.conversation import Conversation
from agents.coding.place import prune_homes
from agents.context.prompts import coder_system
from agents.engine import wakeups
from agents.engine.claims import Held
from agents.loop import Ending
from agents.models import Run, RunState
from agents.processes.worker import Worker
from agents.tools.base import Tool
from agents.tools.coding import TOOLS
from llm.types import ChatResponse
from realtime.services import unit_of_work

CODING = "coding"
OUTCOME = re.compile(r"^[*_` ]*outcome:[*_` ]*(done|partial|failed)[*_`. ]*$", re.IGNORECASE | re.MULTILINE)
SAID_NOTHING = "The coding agent ended without a word."


def is_coding(run: Run) -> bool:
    return bool(run.input.get("worker_type") == CODING)


class Coder(Worker):
    max_steps: ClassVar[int] = 400

    @cached_property
    def conversation(self) -> Conversation:
        from agents.engine.contexts import call_context

        return Conversation(self, call_context(self), "\n\n".join(self.system()))

    def system(self) -> tuple[str, ...]:
        return coder_system(self.run.agent)

    def tools(self) -> dict[str, Tool]:
        return TOOLS

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        found = OUTCOME.findall(response.message.text)
        text = re.sub(r"\n{3,}", "\n\n", OUTCOME.sub("", response.message.text)).strip()
        if not text:
            failure = {"class": "NoOutcome", "message": SAID_NOTHING}
            return Ending(RunState.FAILED, "failed", {"text": SAID_NOTHING}, failure)
        return self.outcome(found[-1].lower() if found else "done", text)

    def close(self) -> None:
        if "conversation" in self.__dict__:
            self.conversation.close()
            if self.conversation.breach and self.run.state == RunState.WAITING:
                self._go_on_to_fail(self.conversation.breach)
            if not self.run.is_live:
                prune_homes()

    def early_end(self) -> Ending | None:
        breach = str(self.run.input.get("breach") or "")
        return self.failed(None, breach) if breach else None

    def _go_on_to_fail(self, breach: str) -> None:
        """Let a run that has just lain down, and whose program went on by itself in that moment, end as failed."""
        with unit_of_work():
            if self.run.conversation_id is not None:
                wakeups.hold_conversation(self.run.conversation_id)
            run = Run.objects.select_for_update(of=("self",)).get(pk=self.run.pk)
            if run.state == RunState.WAITING and not run.cancel_requested_at:
                run.input = {**run.input, "breach": breach}
                run.save(update_fields=["input"])
                wakeups.requeue(run)
