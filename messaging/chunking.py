"""Cut a long message into pieces that a platform takes, in the unit in which the platform counts.

Pieces end at a paragraph, else a line, else a word. A code block that is cut is closed in one piece and
opened again, with its language, in the next.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

SMALLEST_LIMIT = 40

_FENCE_LINE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^\n]*)")
_JOINERS = "\u200d\ufe0e\ufe0f"


class Unit(Enum):
    CODE_POINTS = "code points"
    UTF16 = "UTF-16 code units"
    BYTES = "UTF-8 bytes"

    def measure(self, text: str) -> int:
        if self is Unit.CODE_POINTS:
            return len(text)
        if self is Unit.BYTES:
            return len(text.encode())
        return len(text) + sum(char > "\uffff" for char in text)


@dataclass(frozen=True)
class _Fence:
    marker: str
    info: str

    def opening(self, limit: int) -> str:
        """Return the line that opens it again; without its language, or not at all, where that takes too much."""
        if not self.fits(limit):
            return ""
        return f"{self.marker}{self.info if self.info.isascii() and len(self.info) <= limit // 4 else ''}\n"

    def closing(self, limit: int) -> str:
        return f"\n{self.marker}" if self.fits(limit) else ""

    def fits(self, limit: int) -> bool:
        return len(self.marker) <= limit // 8


def split(text: str, *, limit: int, unit: Unit = Unit.CODE_POINTS) -> list[str]:
    """Return the text in pieces of at most `limit` units, none of them blank; [] for a blank text."""
    if limit < SMALLEST_LIMIT:
        raise ValueError(f"a limit below {SMALLEST_LIMIT} leaves no room for code fences")
    pieces: list[str] = []
    fence: _Fence | None = None
    rest = text
    while rest.strip():
        opening = fence.opening(limit) if fence else ""
        room = limit - unit.measure(opening)
        if unit.measure(rest) <= room:
            pieces.append(opening + rest.rstrip())
            break
        cut = _find_cut(
            rest, room - _closing_reserve(opening + rest[:limit], limit), unit=unit, in_fence=fence
        )
        head, rest = rest[:cut], rest[cut:]
        fence = _fence_at_end(head, fence)
        if head.strip():
            pieces.append(opening + head.rstrip() + (fence.closing(limit) if fence else ""))
        rest = _after_cut(rest, fence)
        if fence and (closing := _closing_line(rest, fence)):
            fence, rest = None, rest[closing:].lstrip("\n")
    return pieces


def _closing_reserve(window: str, limit: int) -> int:
    """Return the room that closing a fence may take: a line break and the longest marker in sight."""
    markers = [found[1] for line in window.splitlines() if (found := _FENCE_LINE.match(line))]
    return max((len(_Fence(marker, "").closing(limit)) for marker in markers), default=0)


def _find_cut(text: str, room: int, *, unit: Unit, in_fence: _Fence | None) -> int:
    """Return where to cut so that the head fits into `room` units; at least one character is cut off."""
    end = _longest_prefix(text, room, unit)
    lowest = end // 2
    for separator in ("\n",) if in_fence else ("\n\n", "\n", " "):
        found = text.rfind(separator, lowest, end + 1)
        if found > 0:
            return _before_lonely_fence(text, found, in_fence)
    while end > 1 and end < len(text) and _joins(text[end - 1], text[end]):
        end -= 1
    return _before_lonely_fence(text, max(end, 1), in_fence)


def _longest_prefix(text: str, room: int, unit: Unit) -> int:
    end = min(len(text), room)
    if unit is Unit.CODE_POINTS:
        return end
    used = 0
    for index, char in enumerate(text[:end]):
        used += unit.measure(char)
        if used > room:
            return index
    return end


def _joins(before: str, after: str) -> bool:
    """Tell whether the two characters show as one: combining marks, variation selectors, joined emoji."""
    return (
        after in _JOINERS
        or before == "\u200d"
        or bool(unicodedata.combining(after))
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )


def _before_lonely_fence(text: str, cut: int, in_fence: _Fence | None) -> int:
    """Move the cut before a fence that would open at the very end of the head, with nothing in it."""
    line_start = text.rfind("\n", 0, len(text[:cut].rstrip())) + 1
    opens = (
        _FENCE_LINE.match(text, line_start) is not None and _fence_at_end(text[:line_start], in_fence) is None
    )
    return line_start if opens and text[:line_start].strip() else cut


def _fence_at_end(text: str, fence: _Fence | None) -> _Fence | None:
    """Return the fence that is open after `text`, given the one that was open before it."""
    for line in text.split("\n"):
        found = _FENCE_LINE.fullmatch(line)
        if not found:
            continue
        marker, info = found[1], found[2].strip()
        if fence is None:
            fence = None if marker[0] == "`" and "`" in info else _Fence(marker, info)
        elif _closes(fence, marker, info):
            fence = None
    return fence


def _closes(fence: _Fence, marker: str, info: str) -> bool:
    return marker[0] == fence.marker[0] and len(marker) >= len(fence.marker) and not info


def _after_cut(rest: str, fence: _Fence | None) -> str:
    """Drop the white space at the cut; inside code only the line break, for indentation has a meaning."""
    return rest.removeprefix("\n") if fence else rest.lstrip()


def _closing_line(rest: str, fence: _Fence) -> int:
    """Return the length of the closing fence with which `rest` begins, or 0."""
    line = rest.split("\n", 1)[0]
    found = _FENCE_LINE.fullmatch(line)
    return len(line) if found and _closes(fence, found[1], found[2].strip()) else 0
