"""Putting a question with options to the people of the conversation.

A worker or branch lies waiting until somebody has answered. To a channel or a scheduled job the answer comes as a message,
because a channel must go on answering people meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pydantic import Field, field_validator

from agents.errors import ToolFailed, ToolRetry
from agents.loop import Ending
from agents.models import Question, QuestionState, RunKind, RunState
from agents.questions import services, words
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from messaging.models import Message
from messaging.services.messages import append_outbound

if TYPE_CHECKING:
    from agents.processes.channel import Channel
    from agents.processes.cron import Cron


ASKS = {"asks": True}
"""Marks the messages whose questions pages look for."""


class Option(Arguments):
    label: str = Field(description="What stands on the button.", min_length=1, max_length=80)
    description: str = Field(default="", description="What it means, in a sentence.", max_length=300)

    @field_validator("label", "description")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(text.split())


class Ask(Arguments):
    question: str = Field(min_length=3, max_length=2_000)
    options: list[Option] = Field(
        description="What can be chosen; people may also answer in their own words.",
        min_length=services.FEWEST_OPTIONS,
        max_length=services.MOST_OPTIONS,
    )
    multi_select: bool = Field(default=False, description="Whether several may be chosen.")


def ask(context: ToolContext, arguments: Ask) -> ToolOutput:
    """Ask and go on: the answer will be a message to the conversation."""
    _check(context, arguments)
    if context.run.kind == RunKind.CHANNEL:
        channel = cast("Channel", context.process)
        assert context.held is not None
        if not channel.replied and channel.hold_back(context.held):
            raise ToolRetry("Not asked: something was said while you wrote. Read it first.")
        message = channel.say(_text(arguments), key=context.key, metadata=ASKS)
        _put(context, arguments, message, waits=False)
        return ToolOutput("Asked. The answer will come as a message.", Ending(RunState.SUCCEEDED, "done"))
    _put(context, arguments, _say(context, arguments), waits=False)
    job = cast("Cron", context.process)
    job.skipped = job.skipped or f"Asked: {arguments.question[:200]}"
    return ToolOutput("Asked. The answer goes to the conversation, not to you: finish without it.")


def lies_waiting(context: ToolContext, arguments: Ask) -> bool:
    """Ask, unless this call has asked already; say whether its answer is still to come."""
    question = Question.objects.filter(key=context.key).first()
    if question is None and context.run.conversation_id is not None:
        _check(context, arguments)
        question = _put(context, arguments, _say(context, arguments), waits=True)
    return question is not None and question.is_open


def hear(context: ToolContext, arguments: Ask) -> ToolOutput:
    """Return what was answered to the question this call has asked."""
    question = Question.objects.select_related("answered_by").filter(key=context.key).first()
    if question is None:
        raise ToolFailed("there is no conversation whose people could be asked")
    return ToolOutput(words.told(question))


def _check(context: ToolContext, arguments: Ask) -> None:
    labels = [option.label.casefold() for option in arguments.options]
    if len(set(labels)) < len(labels):
        raise ToolRetry("Two options have the same label.")
    if context.run.conversation_id is None:
        raise ToolFailed("there is no conversation whose people could be asked")
    waiting = Question.objects.filter(conversation_id=context.run.conversation_id, state=QuestionState.OPEN)
    if waiting.count() >= services.MOST_OPEN:
        raise ToolFailed(f"{services.MOST_OPEN} questions are open here already; wait for answers to them")


def _say(context: ToolContext, arguments: Ask) -> Message:
    assert context.run.conversation_id is not None
    return append_outbound(
        context.run.conversation_id,
        run_id=context.run.pk,
        author_name=context.run.agent.name,
        text=_text(arguments),
        key=context.key,
        metadata=ASKS,
    )


def _text(arguments: Ask) -> str:
    return words.render(arguments.question.strip(), _options(arguments), multi_select=arguments.multi_select)


def _put(context: ToolContext, arguments: Ask, message: Message, *, waits: bool) -> Question:
    return services.put(
        context.run,
        message,
        key=context.key,
        text=arguments.question.strip(),
        options=_options(arguments),
        multi_select=arguments.multi_select,
        waits=waits,
    )


def _options(arguments: Ask) -> list[words.Option]:
    return [option.model_dump() for option in arguments.options]


TOOLS = (
    Tool(
        name="ask",
        description="Ask the people here a question with options. This ends your turn; the answer comes as a message.",
        arguments=Ask,
        function=ask,
        kinds=frozenset({"channel"}),
        ends_run=True,
        asks_people=True,
    ),
    Tool(
        name="ask",
        description="Ask the people of the conversation a question with options. The answer goes to the conversation, later.",
        arguments=Ask,
        function=ask,
        kinds=frozenset({"cron"}),
        asks_people=True,
    ),
    Tool(
        name="ask",
        description="Ask the people of the conversation a question with options, and wait for the answer, up to seven days.",
        arguments=Ask,
        function=hear,
        kinds=frozenset({"worker", "branch"}),
        asks_people=True,
        waits=lies_waiting,
    ),
)
