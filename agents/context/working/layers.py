"""The shape of a layer, and how a text is kept within its budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from llm.services.tokens import BYTES_PER_TOKEN, estimate_tokens

WORTH_CUTTING = 24
"""Tokens; where less room is left, a line is left out rather than cut."""


@dataclass(frozen=True)
class Line:
    """One line of a layer, and why it is told or left out; `reach` says who may hear it."""

    text: str
    why: str
    reach: int | None = None
    told: bool = True


@dataclass(frozen=True)
class Layer:
    """One layer as the prompt shows it: within its budget, empty where there is nothing to tell.

    `budget` is None for what people wrote themselves; `words` are counted where the budget is one of words.
    """

    number: int
    name: str
    text: str
    budget: int | None
    lines: tuple[Line, ...] = ()
    unit: Literal["tokens", "words"] = "tokens"
    words: int = 0

    @property
    def used(self) -> int:
        """Return how much of the budget the layer takes, in the budget's unit."""
        return self.words if self.unit == "words" else self.tokens

    @property
    def tokens(self) -> int:
        return estimate_tokens(self.text)


def cost(text: str) -> int:
    return estimate_tokens(text + "\n")


def cut(text: str, tokens: int) -> str:
    """Return the beginning of a text, with a mark where it was cut."""
    if cost(text) <= tokens:
        return text
    room = tokens * BYTES_PER_TOKEN - len("…\n".encode())
    return text.encode()[: max(0, room)].decode(errors="ignore").rstrip() + "…"


def fill(lines: Iterable[Line], tokens: int) -> list[Line]:
    """Keep lines in the order given while there is room; the first that does not fit is cut, or marked as left out."""
    kept, room = list[Line](), tokens
    for line in lines:
        text = cut(line.text, room) if room >= WORTH_CUTTING else line.text
        if cost(text) > room:
            kept.append(Line(line.text, "There was no room left", line.reach, told=False))
            continue
        room -= cost(text)
        kept.append(Line(text, line.why, line.reach))
    return kept


def told_text(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines if line.told)
