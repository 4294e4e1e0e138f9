"""How a branch looks further back than its window."""

from __future__ import annotations

from pydantic import Field

from agents.context.history import Line, render_lines
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from messaging.models import Direction, Message

MOST = 100


class ReadHistory(Arguments):
    before_seq: int | None = Field(default=None, description="Read what came before this message number.")
    contains: str = Field(default="", max_length=200, description="Only messages that contain this text.")
    limit: int = Field(default=50, ge=1, le=MOST)


def read_history(context: ToolContext, arguments: ReadHistory) -> ToolOutput:
    run = context.run
    assert run.conversation_id is not None
    before = min(arguments.before_seq or (run.fork_seq or 0) + 1, (run.fork_seq or 0) + 1)
    rows = Message.objects.filter(conversation_id=run.conversation_id, seq__lt=before)
    if arguments.contains:
        rows = rows.filter(text__icontains=arguments.contains)
    found = list(rows.order_by("-seq")[: arguments.limit])[::-1]
    if not found:
        return ToolOutput("Nothing was found there.")
    lines = [
        Line(m.pk, m.seq, m.direction == Direction.INBOUND, m.author_name, m.text, m.created_at, False)
        for m in found
    ]
    return ToolOutput(f"Messages {found[0].seq} to {found[-1].seq}:\n{render_lines(lines)}")


TOOLS = (
    Tool(
        name="read_history",
        description="Read older messages of this conversation, or search them.",
        arguments=ReadHistory,
        function=read_history,
        kinds=frozenset({"branch"}),
    ),
)
