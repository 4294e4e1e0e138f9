"""How a scheduled job speaks: what it says is kept and delivered as one message when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pydantic import Field

from agents.engine import waits
from agents.errors import ToolRetry
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput

if TYPE_CHECKING:
    from agents.processes.cron import Cron

CRON = frozenset({"cron"})
MOST_KEPT = 100_000


class Reply(Arguments):
    content: str = Field(description="Markdown.", min_length=1, max_length=40_000)


def reply(context: ToolContext, arguments: Reply) -> ToolOutput:
    cron = cast("Cron", context.process)
    if not arguments.content.strip():
        raise ToolRetry("An empty reply was not kept. Say something, or call skip.")
    if sum(map(len, cron.replies)) + len(arguments.content) > MOST_KEPT:
        raise ToolRetry("That is more than one message can hold. Say the rest much shorter.")
    cron.replies.append(arguments.content.strip())
    return ToolOutput("Kept; it is delivered when the job ends.", cron.turn_over())


class Wait(Arguments):
    pass


def wait(context: ToolContext, arguments: Wait) -> ToolOutput:
    cron = cast("Cron", context.process)
    if not waits.helpers_of(context.run.pk, told=cron.report_ids).are_needed:
        raise ToolRetry("Nothing is under way that could report. Call reply, or skip.")
    return ToolOutput("Waiting.", cron.turn_over())


class Skip(Arguments):
    reason: str = Field(description="For the log.", min_length=3, max_length=300)


def skip(context: ToolContext, arguments: Skip) -> ToolOutput:
    cron = cast("Cron", context.process)
    cron.skipped = arguments.reason
    return ToolOutput("Noted.", cron.turn_over())


TOOLS = (
    Tool(
        name="reply",
        description="Keep what should be delivered when the job ends. This ends your turn.",
        arguments=Reply,
        function=reply,
        kinds=CRON,
        needs_member=False,
        ends_run=True,
    ),
    Tool(
        name="wait",
        description="End your turn until a branch or worker reports.",
        arguments=Wait,
        function=wait,
        kinds=CRON,
        needs_member=False,
        ends_run=True,
        polling=True,
    ),
    Tool(
        name="skip",
        description="Nothing needs to be delivered this time. This ends your turn.",
        arguments=Skip,
        function=skip,
        kinds=CRON,
        needs_member=False,
        ends_run=True,
    ),
)
