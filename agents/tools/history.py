"""How a branch looks further back than its window, and behind the summaries that stand for what was said."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from agents.context.history import Line, indent, render_lines
from agents.errors import ToolRetry
from agents.models import Checkpoint
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from llm.services.tokens import estimate_tokens
from messaging.models import Direction, Message

MOST = 100
WINDOW_SHARE = 0.12
"""What one look into a summary may take of the window; the rest is read by going on."""
BRANCH = frozenset({"branch"})


class ReadHistory(Arguments):
    before_seq: int | None = Field(default=None, description="Only before this message number.")
    contains: str = Field(default="", max_length=200)
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
    return ToolOutput(f"Messages {found[0].seq} to {found[-1].seq}:\n{_render(found)}")


class ExpandSummary(Arguments):
    from_seq: int = Field(description="As the heading of the summary tells.")
    to_seq: int
    after_seq: int | None = Field(default=None, description="To go on, where there was more than fits.")


def expand_summary(context: ToolContext, arguments: ExpandSummary) -> ToolOutput:
    """Return the summaries that were rolled up into one, or the messages that one stands for."""
    run = context.run
    assert run.conversation_id is not None
    row = _find(run.conversation_id, run.fork_seq or 0, arguments)
    rolled = list(row.rolled.order_by("from_seq")) if arguments.after_seq is None else []
    if rolled:
        return ToolOutput("\n".join(_head(each) + f"\n  {indent(each.summary)}" for each in rolled))
    after = max(arguments.after_seq or 0, row.from_seq - 1)
    rows = Message.objects.filter(
        conversation_id=run.conversation_id, seq__gt=after, seq__lte=min(row.to_seq, run.fork_seq or 0)
    )
    found = list(rows.order_by("seq")[: MOST + 1])
    if not found:
        return ToolOutput("There is nothing after that.")
    shown = _what_fits(found[:MOST], int(context.process.window * WINDOW_SHARE))
    more = f"\n[more: go on with after_seq={shown[-1].seq}]" if len(found) > len(shown) else ""
    return ToolOutput(f"Messages {shown[0].seq} to {shown[-1].seq}:\n{_render(shown)}{more}")


def _what_fits(rows: list[Message], tokens: int) -> list[Message]:
    """Return the first messages that fit, one at least: more would be cut out of the middle of the request."""
    shown: list[Message] = []
    for row in rows:
        tokens -= estimate_tokens(_render([row]))
        if tokens < 0 and shown:
            break
        shown.append(row)
    return shown


def _find(conversation_id: int, fork_seq: int, asked: ExpandSummary) -> Checkpoint:
    """Return the summary of the range; the highest, where several have it."""
    rows = Checkpoint.objects.filter(
        conversation_id=conversation_id, from_seq=asked.from_seq, to_seq=asked.to_seq, to_seq__lte=fork_seq
    )
    row = rows.order_by("-level").first()
    if row is None:
        raise ToolRetry("No summary stands for exactly these messages. Take the numbers of its heading.")
    return row


def _head(row: Checkpoint) -> str:
    return f"Messages {row.from_seq}–{row.to_seq}: {indent(row.title)}"


def _render(rows: Iterable[Message]) -> str:
    return render_lines(
        [
            Line(m.pk, m.seq, m.direction == Direction.INBOUND, m.author_name, m.text, m.created_at, False)
            for m in rows
        ]
    )


TOOLS = (
    Tool(
        name="read_history",
        description="Read older messages of this conversation, or search them.",
        arguments=ReadHistory,
        function=read_history,
        kinds=BRANCH,
    ),
    Tool(
        name="expand_summary",
        description="Read what a summary stands for: its messages, or the summaries rolled up in it.",
        arguments=ExpandSummary,
        function=expand_summary,
        kinds=BRANCH,
    ),
)
