"""The conversation as a model reads it.

A person's text can hold anything, also lines that look like ours. So every line of ours begins at the margin and
every continuation line of theirs is indented: nothing said by a person can begin a line at the margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agents.context.fit import shorten
from llm.services.tokens import estimate_tokens
from llm.types import AssistantMessage, ChatMessage, UserMessage
from messaging.models import Direction, Handling, Message

QUOTE = 200
"""How many characters of a message are shown with an answer to it."""


@dataclass(frozen=True)
class Line:
    """One message as history needs it; `quoted` is the text of the message it replies to."""

    id: int
    seq: int
    inbound: bool
    author: str
    text: str
    at: datetime
    unanswered: bool
    quoted: str = ""
    attachments: tuple[str, ...] = ()


def load_lines(conversation_id: int, *, after_seq: int, until_seq: int | None = None) -> list[Line]:
    """Return the messages after `after_seq`, up to `until_seq` or the newest, in order."""
    rows = Message.objects.filter(conversation_id=conversation_id, seq__gt=after_seq)
    if until_seq is not None:
        rows = rows.filter(seq__lte=until_seq)
    return [
        Line(
            pk,
            seq,
            direction == Direction.INBOUND,
            author,
            text,
            at,
            handling == Handling.UNANSWERED,
            quoted or "",
            tuple(_describe(file) for file in files or ()),
        )
        for pk, seq, direction, author, text, at, handling, quoted, files in rows.order_by("seq").values_list(
            "id",
            "seq",
            "direction",
            "author_name",
            "text",
            "created_at",
            "handling",
            "reply_to__text",
            "metadata__attachments",
        )
    ]


def render_history(lines: Iterable[Line], *, most_tokens: int) -> list[ChatMessage]:
    """Render answered history: runs of inbound lines become one message each, very long ones are shortened."""
    messages: list[ChatMessage] = []
    heard: list[str] = []
    for line in lines:
        if line.inbound:
            heard.append(shorten(render_line(line), most_tokens))
            continue
        if heard:
            messages.append(UserMessage("\n".join(heard)))
            heard = []
        messages.append(AssistantMessage(shorten(line.text, most_tokens)))
    if heard:
        messages.append(UserMessage("\n".join(heard)))
    return messages


def render_lines(lines: Sequence[Line], *, most_tokens: int | None = None) -> str:
    rendered = (render_line(line) for line in lines)
    return "\n".join(text if most_tokens is None else shorten(text, most_tokens) for text in rendered)


def take_fitting(lines: Sequence[Line], *, most_tokens: int, line_tokens: int) -> list[Line]:
    """Return the first lines that are together at most so long, at least one; a single line counts `line_tokens` at most.

    What does not fit is left for another time instead of being cut out of the middle.
    """
    room, taken = most_tokens, list[Line]()
    for line in lines:
        room -= min(line_tokens, estimate_tokens(render_line(line)))
        if room < 0 and taken:
            break
        taken.append(line)
    return taken


def render_line(line: Line) -> str:
    stamp = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    quote = f"> {' '.join(line.quoted.split())[:QUOTE]}\n" if line.quoted else ""
    files = "".join(f"\n{each}" for each in line.attachments)
    return f"[{stamp}] {clean_name(line.author)}: {indent(quote + line.text + files)}"


def _describe(file: dict[str, Any]) -> str:
    return f"[attachment #{file['id']}: {file['name']}, {file['media_type']}, {file['size_bytes']:,} bytes]"


def clean_name(name: str) -> str:
    """Return a display name that cannot pass for structure."""
    return " ".join(name.replace("[", "(").replace("]", ")").replace(":", " ").split())[:80] or "Someone"


def indent(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\n  ")


def one_line(text: str, most: int) -> str:
    """Return a text on one line, cut with a mark."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
