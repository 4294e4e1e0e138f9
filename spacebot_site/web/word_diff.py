"""Where two texts differ, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_WORDS = 2_000


@dataclass(frozen=True)
class Part:
    """A stretch of one text; `differs` where the other says something else."""

    text: str
    differs: bool


def diff(first: str, second: str) -> tuple[list[Part], list[Part]]:
    """Return both texts in parts. Long ones, and those with little in common, come whole and unmarked."""
    ours, theirs = _words(first), _words(second)
    whole = [Part(first, False)], [Part(second, False)]
    if max(len(ours), len(theirs)) > MOST_WORDS:
        return whole
    matcher = SequenceMatcher(
        None, [_plain(word) for word in ours], [_plain(word) for word in theirs], autojunk=False
    )
    if matcher.ratio() < 0.3:
        return whole
    left: list[Part] = []
    right: list[Part] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        for parts, words in ((left, ours[a:b]), (right, theirs[c:d])):
            if words:
                text = "".join(words)
                parts.append(Part(text.rstrip(), kind != "equal"))
                parts.append(Part(text[len(text.rstrip()) :], False))
    return left, right


def _words(text: str) -> list[str]:
    """Return words, each with the space behind it."""
    return re.findall(r"\s*\S+\s*", text)


def _plain(word: str) -> str:
    return word.strip().strip(".,;:!?").casefold()
