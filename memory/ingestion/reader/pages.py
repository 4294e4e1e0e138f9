"""What every format is read into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from memory.ingestion.reader.refusals import Unreadable


class Page(NamedTuple):
    """A stretch of text; `number` is None where the format knows no pages."""

    number: int | None
    text: str


class Notice(NamedTuple):
    """Something that people should know about a file that was read all the same."""

    text: str


Pieces = Iterator[Page | Notice]


class Budget:
    """How much text one file may give."""

    def __init__(self, most_characters: int) -> None:
        self._left = self._most = most_characters

    def spend(self, text: str) -> str:
        """Return the text, or raise Unreadable where it is too much."""
        self._left -= len(text)
        if self._left < 0:
            raise Unreadable(f"It holds more than {self._most // 1_000_000} million characters of text.")
        return text
