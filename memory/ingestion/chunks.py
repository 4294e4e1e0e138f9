"""Cutting a text into overlapping chunks at natural boundaries. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from memory.ingestion.reader.pages import Page

SIZE = 4_000
OVERLAP = 200
BETWEEN_PAGES = "\n\n"
BOUNDARIES = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"[.!?…。！？][\"'”’)\]]*\s+"),
    re.compile(r"\n"),
    re.compile(r"\s"),
)
"""Where a text is best cut, first choice first: paragraph, sentence, line, word."""


@dataclass(frozen=True)
class Chunk:
    """Characters `start` to `end` of the whole text; pages as far as the format knows them."""

    start: int
    end: int
    text: str
    page_from: int | None = None
    page_to: int | None = None


def split(pages: Iterable[Page], *, size: int = SIZE, overlap: int = OVERLAP) -> list[Chunk]:
    """Return chunks of at most `size` characters that together cover every page, without blank ones.

    Each begins up to `overlap` characters before the one before it ends, so that nothing said at a cut is lost.
    """
    kept = list(pages)
    text = BETWEEN_PAGES.join(page.text for page in kept)
    starts, position = [], 0
    for page in kept:
        starts.append(position)
        position += len(page.text) + len(BETWEEN_PAGES)
    chunks = []
    for start, end in spans(text, size=size, overlap=overlap):
        piece = text[start:end]
        if piece.strip():
            first = start + len(piece) - len(piece.lstrip())
            last = start + len(piece.rstrip()) - 1
            chunks.append(Chunk(start, end, piece, _page(kept, starts, first), _page(kept, starts, last)))
    return chunks


def spans(text: str, *, size: int = SIZE, overlap: int = OVERLAP) -> list[tuple[int, int]]:
    """Return where the chunks begin and end: no gaps, none longer than `size`, each going on beyond the last."""
    if not 0 <= overlap < size // 2:
        raise ValueError("the overlap must be less than half of the size")
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = _cut(text, start, size)
        found.append((start, end))
        if end >= len(text):
            break
        start = _step_back(text, start, end, overlap)
    return found


def _cut(text: str, start: int, size: int) -> int:
    """Return the best end: at the last boundary of the best kind in the second half, else at full length."""
    if len(text) - start <= size:
        return len(text)
    for boundary in BOUNDARIES:
        ends = [match.end() for match in boundary.finditer(text, start + size // 2, start + size)]
        if ends:
            return ends[-1]
    return start + size


def _step_back(text: str, start: int, end: int, overlap: int) -> int:
    """Return where the next chunk begins: `overlap` before the end, or at a word soon after."""
    earliest = max(start + 1, end - overlap)
    space = BOUNDARIES[-1].search(text, earliest, end - overlap // 2)
    return space.end() if space else earliest


def _page(pages: list[Page], starts: list[int], position: int) -> int | None:
    return pages[bisect_right(starts, position) - 1].number
