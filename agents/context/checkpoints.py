"""Checkpoints as a prompt shows them: newer ones whole, older ones by title, the oldest rolled up."""

from __future__ import annotations

from dataclasses import dataclass

from agents.context.fit import shorten
from agents.context.history import indent
from agents.models import Checkpoint
from llm.services.tokens import estimate_tokens

WHOLE = 8
MOST_TOKENS = 2_000
WINDOW_SHARE = 0.15


@dataclass(frozen=True)
class Past:
    """What stands before the visible history: `head_seq` is the newest message it covers, 0 for none."""

    rows: tuple[Checkpoint, ...] = ()

    @property
    def head_seq(self) -> int:
        return max((row.to_seq for row in self.rows), default=0)

    def render(self, *, window: int) -> str:
        """Return the block that stands for everything before the visible history; empty where nothing does."""
        if not self.rows:
            return ""
        most = min(MOST_TOKENS, int(window * WINDOW_SHARE))
        parts, room = [], most
        for age, row in enumerate(reversed(self.rows)):
            text = _render(row, whole=age < WHOLE)
            if estimate_tokens(text) > room:
                text = _render(row, whole=False)
            if estimate_tokens(text) > room:
                break
            room -= estimate_tokens(text)
            parts.append(text)
        parts = parts or [shorten(_render(self.rows[-1], whole=True), most)]
        left_out = len(self.rows) - len(parts)
        note = [f"[{left_out} older summaries are not shown]"] if left_out else []
        return "\n".join(["[summary of earlier messages]", *note, *reversed(parts), "[/summary]"])


def load_past(conversation_id: int, *, until_seq: int | None = None) -> Past:
    """Return the checkpoints that no other stands for, oldest first, up to a message; one query."""
    rows = Checkpoint.objects.filter(conversation_id=conversation_id, rolled_into=None)
    if until_seq is not None:
        rows = rows.filter(to_seq__lte=until_seq)
    return Past(tuple(rows.order_by("to_seq", "level")))


def _render(row: Checkpoint, *, whole: bool) -> str:
    head = f"Messages {row.from_seq}–{row.to_seq}: {indent(row.title)}"
    return f"{head}\n  {indent(row.summary)}" if whole else head
