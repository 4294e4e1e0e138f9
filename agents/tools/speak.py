"""How a channel answers people, or decides not to."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, cast

from pydantic import Field

from agents.errors import ToolFailed, ToolRetry
from agents.loop import Ending
from agents.models import RunState
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from messaging.models import Direction, Message, Reaction
from realtime.services import NewEvent, record

if TYPE_CHECKING:
    from agents.processes.channel import Channel

CHANNEL = frozenset({"channel"})
SPEAKERS = CHANNEL | {"cortex"}


class Reply(Arguments):
    content: str = Field(description="Markdown, sent as it is.", min_length=1, max_length=40_000)


def reply(context: ToolContext, arguments: Reply) -> ToolOutput:
    channel = cast("Channel", context.process)
    if not arguments.content.strip():
        raise ToolRetry("An empty reply was not sent. Say something, or call skip.")
    if not channel.replied and _said_meanwhile(context):
        raise ToolRetry(
            "Not sent: something was said while you wrote. Read it and answer everything at once."
        )
    channel.say(arguments.content.strip(), key=context.key)
    return ToolOutput("Sent.", Ending(RunState.SUCCEEDED, "done"))


def _said_meanwhile(context: ToolContext) -> bool:
    assert context.held is not None
    return cast("Channel", context.process).hold_back(context.held)


class Skip(Arguments):
    reason: str = Field(description="For the log.", min_length=3, max_length=300)


def skip(context: ToolContext, arguments: Skip) -> ToolOutput:
    channel = cast("Channel", context.process)
    if channel.report_ids:
        raise ToolRetry("Results are waiting to be told. Relay them with reply, in your own words.")
    if _said_meanwhile(context):
        raise ToolRetry("Something was said meanwhile. Read it, then decide again.")
    channel.skip_reason = arguments.reason
    return ToolOutput("Nothing was said.", Ending(RunState.SUCCEEDED, "done", {"skipped": arguments.reason}))


class React(Arguments):
    emoji: str = Field(min_length=1, max_length=12)


def react(context: ToolContext, arguments: React) -> ToolOutput:
    channel = cast("Channel", context.process)
    if any(character.isalnum() or character.isspace() for character in arguments.emoji) or not any(
        unicodedata.category(character) in {"So", "Sk"} for character in arguments.emoji
    ):
        raise ToolRetry("That is not an emoji. Give one emoji character, such as 👍.")
    message = (
        Message.objects.filter(
            conversation_id=channel.conversation.pk, direction=Direction.INBOUND, seq__lte=channel.joined_seq
        )
        .order_by("-seq")
        .first()
    )
    if message is None:
        raise ToolFailed("there is no message to react to")
    Reaction.objects.get_or_create(
        message=message,
        person=None,
        emoji=arguments.emoji,
        defaults={"organization_id": message.organization_id, "run_id": context.run.pk},
    )
    payload = {"message_id": message.pk, "emoji": arguments.emoji, "by": context.run.agent.name}
    record(
        message.organization_id,
        NewEvent(kind="message.reacted", payload=payload, conversation_id=message.conversation_id),
    )
    return ToolOutput("Reacted.")


TOOLS = (
    Tool(
        name="reply",
        description="Say something to the people in this conversation. This ends your turn.",
        arguments=Reply,
        function=reply,
        kinds=SPEAKERS,
        needs_member=False,
        ends_run=True,
    ),
    Tool(
        name="skip",
        description="Say nothing, deliberately: nobody needs an answer from you. This ends your turn.",
        arguments=Skip,
        function=skip,
        kinds=SPEAKERS,
        needs_member=False,
        ends_run=True,
    ),
    Tool(
        name="react",
        description="Put an emoji on the newest message. Your turn goes on.",
        arguments=React,
        function=react,
        kinds=CHANNEL,
        needs_member=False,
    ),
)
