"""The conversation as a model reads it.

A person's text can hold anything, also lines that look like ours. So every line of ours begins at the margin and
every continuation line of theirs is indented: nothing said by a person can begin a line at the margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from llm.types import AssistantMessage, ChatMessage, UserMessage
from messaging.models import Direction, Handling, Message

WINDOW = 60
BLOCK = 20
"""The window opens at a multiple of BLOCK, so that its first message, and a provider's cache, holds for a while."""


@dataclass(frozen=True)
class Line:
    """One message as history needs it."""

    id: int
    seq: int
    inbound: bool
    author: str
    text: str
    at: datetime
    unanswered: bool


def load_lines(
    conversation_id: int, *, last_seq: int, after_seq: int | None = None, until_seq: int | None = None
) -> list[Line]:
    """Return messages in order: those after `after_seq`, or the window that ends at `until_seq` or now."""
    newest = until_seq if until_seq is not None else last_seq
    floor = after_seq if after_seq is not None else window_floor(newest)
    rows = Message.objects.filter(conversation_id=conversation_id, seq__gt=floor)
    if until_seq is not None:
        rows = rows.filter(seq__lte=until_seq)
    return [
        Line(pk, seq, direction == Direction.INBOUND, author, text, at, handling == Handling.UNANSWERED)
        for pk, seq, direction, author, text, at, handling in rows.order_by("seq").values_list(
            "id", "seq", "direction", "author_name", "text", "created_at", "handling"
        )
    ]


def window_floor(last_seq: int) -> int:
    return max(0, (last_seq - WINDOW) // BLOCK * BLOCK)


def render_history(lines: Iterable[Line]) -> list[ChatMessage]:
    """Render answered history: runs of inbound lines become one message each."""
    messages: list[ChatMessage] = []
    heard: list[str] = []
    for line in lines:
        if line.inbound:
            heard.append(render_line(line))
            continue
        if heard:
            messages.append(UserMessage("\n".join(heard)))
            heard = []
        messages.append(AssistantMessage(line.text))
    if heard:
        messages.append(UserMessage("\n".join(heard)))
    return messages


def render_lines(lines: Sequence[Line]) -> str:
    return "\n".join(render_line(line) for line in lines)


def render_line(line: Line) -> str:
    stamp = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"[{stamp}] {clean_name(line.author)}: {indent(line.text)}"


def clean_name(name: str) -> str:
    """Return a display name that cannot pass for structure."""
    return " ".join(name.replace("[", "(").replace("]", ")").replace(":", " ").split())[:80] or "Someone"


def indent(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\n  ")
