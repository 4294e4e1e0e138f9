"""Other readings of a text: escapes undone, and runs of base64 or hexadecimal decoded. Each knows where it came from."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from ahocorasick_rs import BytesAhoCorasick, Implementation

from secret_store.scrubbing.packed import unpack

SHORTEST_RUN = 16
SHORTEST_WRAPPED_LINE = 40
MOST_LINES_APART = 8
# One set of first characters lets the engine skip what can be none of them.
ESCAPE = re.compile(
    rb"[%\\&](?:(?<=%)(?:u([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2}))"
    rb"|(?<=\\)\\{0,7}(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|([0-3][0-7]{2}))"
    rb"|(?<=&)#(?:[xX]0{0,5}([0-9A-Fa-f]{1,6})|0{0,5}([0-9]{1,7}));?)"
)
HEX = re.compile(rb"[0-9A-Fa-f]+")
WRAP = re.compile(rb"\r?\n|\\r\\n|\\n")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_IS_RUN = bytes(ord("b") if byte in _ALPHABET else ord(".") for byte in range(256))
_HEX_CLASS = bytes(
    ord("h") if byte in b"0123456789abcdefABCDEF" else ord("s") if byte in b" :,-\r\n" else ord(".")
    for byte in range(256)
)
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_DIGITS = b"0123456789"
_LONG_RUN = BytesAhoCorasick([b"b" * SHORTEST_RUN], implementation=Implementation.DFA)
_DUMPED = BytesAhoCorasick([b"hhshhshhs", b"hhhhshhhhs"], implementation=Implementation.DFA)
_SEPARATORS = b" :,-\r\n"


@dataclass(frozen=True)
class Unescaped:
    """A text without its numeric escapes, with the places where each stretch begins in both."""

    text: bytes
    starts: list[int]
    origins: list[tuple[int, int, bool]]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of this text stood."""
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        low, _, literal = self.origins[first]
        left = low + (start - self.starts[first] if literal else 0)
        low, high, literal = self.origins[last]
        return left, low + (end - self.starts[last]) if literal else high


def unescaped(data: bytes) -> Unescaped | None:
    """Undo numeric escapes of URLs, JSON, HTML and source code; None where there is none."""
    if b"%" not in data and b"\\" not in data and b"&#" not in data:
        return None
    pieces: list[bytes] = []
    starts: list[int] = []
    origins: list[tuple[int, int, bool]] = []
    at = size = 0
    for match in ESCAPE.finditer(data):
        if match.start() > at:
            pieces.append(data[at : match.start()])
            starts.append(size)
            origins.append((at, match.start(), True))
            size += match.start() - at
        piece = _character(match)
        at = match.end()
        if piece:
            pieces.append(piece)
            starts.append(size)
            origins.append((match.start(), at, False))
            size += len(piece)
    if not at:
        return None
    if at < len(data):
        pieces.append(data[at:])
        starts.append(size)
        origins.append((at, len(data), True))
    return Unescaped(b"".join(pieces), starts, origins)


def _character(match: re.Match[bytes]) -> bytes:
    legacy, percent, short, long, byte, octal, hex_entity, entity = match.groups()
    if percent or byte:
        return bytes([int(percent or byte, 16)])
    if octal:
        return bytes([int(octal, 8)])
    code = int(entity) if entity else int(legacy or short or long or hex_entity, 16)
    return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else b""


@dataclass(frozen=True)
class Run:
    """A stretch of base64 or hexadecimal, perhaps over several lines, without its line ends."""

    text: bytes
    segments: list[tuple[int, int]]

    @property
    def start(self) -> int:
        return self.segments[0][0]

    @property
    def end(self) -> int:
        return self.segments[-1][1]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the joined text stood."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, offset: int) -> int:
        for low, high in self.segments:
            if offset < high - low:
                return low + offset
            offset -= high - low
        return self.end


def runs(data: bytes) -> Iterator[Run]:
    """Yield long runs of the base64 alphabet, which hexadecimal is a part of; wrapped lines are joined."""
    classes = data.translate(_IS_RUN)
    at = 0
    for _, found, _ in _LONG_RUN.find_matches_as_indexes(classes):
        if found < at:
            continue
        start = classes.rfind(b".", at, found) + 1 or at
        end = _end(classes, found)
        segments = [(start, end)]
        while end - segments[-1][0] >= SHORTEST_WRAPPED_LINE and (wrap := WRAP.match(data, end)):
            start, end = wrap.end(), _end(classes, wrap.end())
            if end == start:
                break
            segments.append((start, end))
        at = segments[-1][1]
        if len(segments) == 1:
            text = data[segments[0][0] : at]
            if not _is_prose(text):
                yield Run(text, segments)
            continue
        for part in _readings(segments):
            text = b"".join(data[low:high] for low, high in part)
            if len(text) >= SHORTEST_RUN and not _is_prose(text):
                yield Run(text, part)


def _readings(segments: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Lines that follow each other may be one text in lines, several texts, or one after something else."""
    yield segments
    if len(segments) <= MOST_LINES_APART:
        yield from (segments[first:] for first in range(1, len(segments) - 1))
    yield from ([segment] for segment in segments)


def _is_prose(run: bytes) -> bool:
    """Say whether a run is made of small letters alone: a path or a long word, which no encoding gives."""
    return run.islower() and run.translate(None, _DIGITS) == run


def _end(classes: bytes, start: int) -> int:
    end = classes.find(b".", start)
    return len(classes) if end < 0 else end


def decodings(run: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield what a run may mean, from each place where it may begin; and whether it was too large to look into."""
    if HEX.fullmatch(run):
        for offset in (0, 1):
            size = (len(run) - offset) // 2 * 2
            yield from _with_unpacked(binascii.unhexlify(run[offset : offset + size]))
    standard = run.translate(_TO_STANDARD)
    for offset in range(4):
        size = len(standard) - offset
        rest = size % 4
        padded = standard[offset : offset + size - (rest == 1)] + b"=" * (4 - rest if rest > 1 else 0)
        yield from _with_unpacked(binascii.a2b_base64(padded))


def _with_unpacked(content: bytes) -> Iterator[tuple[bytes, bool]]:
    yield content, False
    yield from unpack(content)


def dumps(data: bytes) -> Iterator[Run]:
    """Yield hexadecimal written in groups (41 42, 41:42, 4142 4344), joined."""
    classes = data.translate(_HEX_CLASS)
    at = 0
    for _, found, _ in _DUMPED.find_matches_as_indexes(classes):
        if found < at:
            continue
        start, end = classes.rfind(b".", at, found) + 1 or at, _end(classes, found)
        digits = [place for place in range(start, end) if data[place] not in _SEPARATORS]
        yield Run(bytes(data[place] for place in digits), [(place, place + 1) for place in digits])
        at = end
