"""What a person can see of a text that a model wrote: nothing in it may be unseen, turn other words around or push them away."""

from __future__ import annotations

import re
import unicodedata

UNSEEN_KINDS = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
"""Letters, marks and signs by their kind, which fonts draw as nothing."""
ROOM = re.compile(r"\n(?:[ \t]*\n){4,}|[ \t]{80,}")


def is_unseen(character: str) -> bool:
    """Say whether a character is drawn as nothing, or moves others; a new line and a tab are seen."""
    if character in "\n\t":
        return False
    return character in BLANK or unicodedata.category(character) in UNSEEN_KINDS


def visible(text: str) -> str:
    """Return a text with unseen characters by their number, and long emptiness by its length."""
    seen = "".join(f"⟨U+{ord(each):04X}⟩" if is_unseen(each) else each for each in text)
    return ROOM.sub(_told, seen)


def _told(found: re.Match[str]) -> str:
    lines = found[0].count("\n")
    return f"\n⟨{lines - 1} empty lines⟩\n" if lines else f" ⟨{len(found[0])} spaces⟩ "
