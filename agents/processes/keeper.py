"""Silent memory keeping: reads what was said since it last looked, and saves what will matter.

It runs after twenty messages, after five notable events, when a conversation has been quiet for fifteen minutes or was put
away, and before a range leaves the window; each only with something unread in it, never because time passed. Doing it
twice saves nothing twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.db.models import F, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents.context import history
from agents.context.compaction import LINE_SHARE
from agents.context.memory_mode import forbidden_tools, memory_mode
from agents.context.prompts import keeper_system
from agents.engine import wakeups
from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import LIVE_STATES, EventType, Keeping, Run, RunKind, RunState, WorkingEvent
from agents.processes.base import Joined, Process
from agents.processes.compactor import start_compaction
from agents.tools.base import Tool
from agents.tools.registry import tools_for
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.services.routing import get_routing
from llm.types import ChatResponse, UserMessage
from messaging.models import Conversation
from realtime.services import unit_of_work

AFTER_MESSAGES = 20
AFTER_EVENTS = 5
NOTABLE = 0.6
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
AFTER_IDLE = timedelta(minutes=15)
NOT_LONGER_THAN = timedelta(days=7)
FIRST_PAUSE = timedelta(minutes=15)
MOST_MESSAGES = 200
TEXT_SHARE = 0.5
ACTIVE_LIMIT_S = 300
NUDGES = 2


class Keeper(Process):
    """`input` holds the range to look through, and with `compact` what is summarised once it was looked through."""

    llm_process: ClassVar[LlmProcess] = LlmProcess.BRANCH
    max_steps: ClassVar[int] = 40
    governed: ClassVar[bool] = False
    _nudges = 0

    def __init__(self, run: Run, claim: Claim) -> None:
        super().__init__(run, claim)
        self.read_seq = 0

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
        line_tokens = int(self.window * LINE_SHARE)
        most = int(self.window * TEXT_SHARE)
        lines = history.take_fitting(lines, most_tokens=most, line_tokens=line_tokens)
        text = history.render_lines(lines, most_tokens=line_tokens)
        seq = lines[-1].seq if lines else self.run.input["to_seq"]
        return Joined(messages=(UserMessage(text),), volatile=1, seq=seq)

    def join(self, joined: Joined) -> None:
        self.read_seq = max(self.read_seq, joined.seq)

    def resume(self, joined: Joined) -> None:
        self.join(joined)

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
            keeping.kept_seq = max(keeping.kept_seq, self.read_seq)
            keeping.failures, keeping.not_before = 0, None
        else:
            keeping.failures = min(keeping.failures + 1, 10)
            keeping.not_before = timezone.now() + FIRST_PAUSE * 2 ** (keeping.failures - 1)
        keeping.save()

    def after_finish(self, ending: Ending, held: Held) -> None:
        """Go on with what did not fit, then let what waited for this be summarised; a failure holds nothing up."""
        assert self.run.conversation_id is not None
        conversation = Conversation.objects.get(pk=self.run.conversation_id)
        # Read anew: a turn may have asked meanwhile.
        asked = Run.objects.values_list("input", flat=True).get(pk=self.run.pk)
        first, last = asked.get("compact") or (0, 0)
        kept = Kept.of(conversation)
        wanted = max(last, self.run.input["to_seq"])
        if kept.seq < wanted and kept.start(self.run, until=wanted, compact=(first, last)):
            return
        if last:
            start_compaction(self.run, from_seq=first, to_seq=last)


class Kept:
    """How far a conversation was looked through, and what may follow. The caller holds the conversation's row."""

    def __init__(self, conversation: Conversation, keeping: Keeping | None) -> None:
        self.conversation, self.keeping = conversation, keeping
        self.seq = keeping.kept_seq if keeping else 0

    @classmethod
    def of(cls, conversation: Conversation) -> Kept:
        return cls(conversation, Keeping.objects.filter(conversation_id=conversation.pk).first())

    def may_start(self) -> bool:
        """Say whether keeping is wanted, possible, and not resting after a failure."""
        if memory_mode(self.conversation) != "full":
            return False
        if not get_routing(self.conversation.organization_id).entries:
            return False
        rests_until = self.keeping.not_before if self.keeping else None
        return rests_until is None or rests_until <= timezone.now()

    def start(self, parent: Run, *, until: int, compact: tuple[int, int] = (0, 0)) -> bool:
        """Start it unless it may not or is under way; return whether what is unread is being looked through.

        What is `compact` is summarised afterwards; a run that is under way already takes that along.
        """
        if until <= self.seq or not self.may_start():
            return False
        live = Run.objects.filter(
            conversation_id=self.conversation.pk, kind=RunKind.KEEPING, state__in=LIVE_STATES
        )
        if under_way := live.select_for_update().first():
            if compact[1]:
                under_way.input["compact"] = list(compact)
                under_way.save(update_fields=["input"])
            return True
        to_seq = min(until, self.seq + MOST_MESSAGES)
        values: dict[str, object] = {"from_seq": self.seq + 1, "to_seq": to_seq}
        if compact[1]:
            values["compact"] = list(compact)
        wakeups.start_upkeep(
            parent,
            kind=RunKind.KEEPING,
            title=f"Messages {self.seq + 1} to {to_seq}",
            values=values,
            active_limit_s=ACTIVE_LIMIT_S,
        )
        return True


def keep_after_turn(run: Run, conversation: Conversation, *, last_seq: int, told: int) -> None:
    """Start keeping when enough was said, or enough happened, since the last time. `told`: results this turn relayed.

    The caller holds the conversation's row. A turn that told nothing is not asked what happened, and so costs no more
    the longer a conversation grows.
    """
    if last_seq < AFTER_MESSAGES and not told:
        return
    kept = Kept.of(conversation)
    if last_seq - kept.seq >= AFTER_MESSAGES or (told and _notable_events(kept) >= AFTER_EVENTS):
        kept.start(run, until=last_seq)


def compact_when_kept(run: Run, conversation: Conversation, *, from_seq: int, to_seq: int) -> None:
    """Start summarising a range in the background once memory keeping has seen it, or need not, or cannot."""
    kept = Kept.of(conversation)
    if kept.seq >= to_seq or not kept.start(run, until=to_seq, compact=(from_seq, to_seq)):
        start_compaction(run, from_seq=from_seq, to_seq=to_seq)


def keep_set_aside(run: Run, conversation: Conversation, *, until: int) -> None:
    """Start keeping of what an emergency has put out of the window already; the messages are all there."""
    Kept.of(conversation).start(run, until=until)


def _notable_events(kept: Kept) -> int:
    """Count what the event log tells of the conversation since the last keeping. One statement; stops at what is enough.

    What tells of a memory does not count: that is kept already, and what keeping saves must not start it again. What
    began does not either: it counts when it ends.
    """
    keepings = Run.objects.filter(
        conversation_id=kept.conversation.pk, kind=RunKind.KEEPING, state=RunState.SUCCEEDED
    )
    last = keepings.order_by("-id").values("finished_at")[:1]
    since = (
        WorkingEvent.objects.filter(
            conversation_id=kept.conversation.pk, importance__gte=NOTABLE, memory_id=None
        )
        .exclude(type=EventType.WORKER_STARTED)
        .filter(created_at__gt=Coalesce(Subquery(last), LONG_AGO))
    )
    return since[:AFTER_EVENTS].count()


def keep_what_is_quiet() -> int:
    """Start keeping where it has been quiet for a while, or what was put away, and something is unread; return how many."""
    now = timezone.now()
    still = (
        Conversation.objects.filter(last_message_at__gt=now - NOT_LONGER_THAN)
        .filter(Q(last_message_at__lt=now - AFTER_IDLE) | Q(archived_at__isnull=False))
        .annotate(kept_seq=Coalesce("keeping__kept_seq", 0))
        .filter(last_seq__gt=F("kept_seq"))
        .exclude(keeping__not_before__gt=now)
        .order_by("last_message_at")
    )
    count = 0
    for pk in list(still.values_list("pk", flat=True)[:100]):
        with unit_of_work():
            conversation = Conversation.objects.select_for_update().get(pk=pk)
            runs = Run.objects.filter(conversation_id=pk)
            last = runs.filter(kind=RunKind.CHANNEL).order_by("-id").first()
            under_way = runs.filter(kind=RunKind.KEEPING, state__in=LIVE_STATES).exists()
            if last and not under_way and Kept.of(conversation).start(last, until=conversation.last_seq):
                count += 1
    return count
