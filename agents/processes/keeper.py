"""Silent memory keeping: reads what was said since it last looked, and saves what will matter.

It runs after twenty messages, or when a conversation has been quiet for fifteen minutes with something unread in it; never
because time passed while nothing was said. Doing it twice saves nothing twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents.context import history
from agents.context.compaction import LINE_SHARE
from agents.context.fit import shorten
from agents.context.memory_mode import forbidden_tools, memory_mode
from agents.context.prompts import keeper_system
from agents.engine import wakeups
from agents.engine.claims import Held
from agents.loop import Ending
from agents.models import LIVE_STATES, Keeping, Run, RunKind, RunState
from agents.processes.base import Joined, Process
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.services.routing import get_routing
from llm.types import ChatResponse, UserMessage
from messaging.models import Conversation
from realtime.services import unit_of_work

AFTER_MESSAGES = 20
AFTER_IDLE = timedelta(minutes=15)
NOT_LONGER_THAN = timedelta(days=7)
FIRST_PAUSE = timedelta(minutes=15)
MOST_MESSAGES = 200
TEXT_SHARE = 0.5
ACTIVE_LIMIT_S = 300
NUDGES = 2


class Keeper(Process):
    llm_process: ClassVar[LlmProcess] = LlmProcess.BRANCH
    max_steps: ClassVar[int] = 40
    governed: ClassVar[bool] = False
    _nudges = 0

    def system(self) -> tuple[str, ...]:
        return (keeper_system(self.run.agent),)

    def tools(self) -> dict[str, Tool]:
        return tools_for(RunKind.KEEPING, forbidden_tools(memory_mode(self.run.conversation)))

    def collect(self, *, first: bool) -> Joined:
        if not first:
            return Joined()
        assert self.run.conversation_id is not None
        lines = history.load_lines(
            self.run.conversation_id,
            after_seq=self.run.input["from_seq"] - 1,
            until_seq=self.run.input["to_seq"],
        )
        text = history.render_lines(lines, most_tokens=int(self.window * LINE_SHARE))
        return Joined(messages=(UserMessage(shorten(text, int(self.window * TEXT_SHARE))),), volatile=1)

    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        self._nudges += 1
        if self._nudges <= NUDGES:
            return "Finish with finish_keeping."
        return self.failed(None, "It did not say what it kept.")

    def step_limit(self) -> Ending:
        return self.failed(None, "It made too many steps.")

    def stopped(self, state: RunState, reason: str) -> Ending:
        return Ending(state, "cancelled" if state == RunState.CANCELLED else "failed", {"reason": reason})

    def failed(self, error: LLMError | None, message: str) -> Ending:
        failure = {"class": type(error).__name__ if error else "Unfinished", "message": message}
        return Ending(RunState.FAILED, "failed", failure=failure)

    def before_finish(self, ending: Ending, held: Held) -> None:
        """Move the mark on, or put the next try off; twice as long after each failure."""
        assert self.run.conversation_id is not None
        keeping, _ = Keeping.objects.get_or_create(
            conversation_id=self.run.conversation_id, defaults={"organization_id": self.run.organization_id}
        )
        if ending.state == RunState.SUCCEEDED:
            keeping.kept_seq = max(keeping.kept_seq, self.run.input["to_seq"])
            keeping.failures, keeping.not_before = 0, None
        else:
            keeping.failures = min(keeping.failures + 1, 10)
            keeping.not_before = timezone.now() + FIRST_PAUSE * 2 ** (keeping.failures - 1)
        keeping.save()


def keep_if_due(parent: Run, conversation: Conversation, *, last_seq: int) -> None:
    """Start keeping when enough was said since the last time. The caller holds the conversation's row."""
    if last_seq < AFTER_MESSAGES:
        return
    keeping = Keeping.objects.filter(conversation_id=conversation.pk).first()
    if last_seq - (keeping.kept_seq if keeping else 0) >= AFTER_MESSAGES:
        _start(parent, conversation, keeping, last_seq)


def keep_what_is_quiet() -> int:
    """Start keeping in conversations that have been quiet for a while and hold something unread; return how many."""
    now = timezone.now()
    quiet = (
        Conversation.objects.filter(
            last_message_at__lt=now - AFTER_IDLE, last_message_at__gt=now - NOT_LONGER_THAN
        )
        .annotate(kept_seq=Coalesce("keeping__kept_seq", 0))
        .filter(last_seq__gt=F("kept_seq"))
        .order_by("last_message_at")
    )
    count = 0
    for pk in list(quiet.values_list("pk", flat=True)[:100]):
        with unit_of_work():
            conversation = Conversation.objects.select_for_update().get(pk=pk)
            last = Run.objects.filter(conversation_id=pk, kind=RunKind.CHANNEL).order_by("-id").first()
            keeping = Keeping.objects.filter(conversation_id=pk).first()
            if last is not None and _start(last, conversation, keeping, conversation.last_seq):
                count += 1
    return count


def _start(parent: Run, conversation: Conversation, keeping: Keeping | None, last_seq: int) -> bool:
    """Start it unless the mode forbids it, no model is set up, it failed lately, or it is under way."""
    kept = keeping.kept_seq if keeping else 0
    if memory_mode(conversation) != "full" or not get_routing(conversation.organization_id).entries:
        return False
    if keeping and keeping.not_before and keeping.not_before > timezone.now():
        return False
    live = Run.objects.filter(conversation_id=conversation.pk, kind=RunKind.KEEPING, state__in=LIVE_STATES)
    if live.exists():
        return False
    to_seq = min(last_seq, kept + MOST_MESSAGES)
    wakeups.start_upkeep(
        parent,
        kind=RunKind.KEEPING,
        title=f"Messages {kept + 1} to {to_seq}",
        values={"from_seq": kept + 1, "to_seq": to_seq},
        active_limit_s=ACTIVE_LIMIT_S,
    )
    return True
