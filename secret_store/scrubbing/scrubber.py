"""Texts, JSON and files without their secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from secret_store.scrubbing.markers import MARKER, UNREADABLE, marker
from secret_store.scrubbing.packed import unpack
from secret_store.scrubbing.rules import RULES
from secret_store.scrubbing.scanner import Scanner, Span

MOST_REMEMBERED = 4_096


@dataclass(frozen=True)
class Scrubbed:
    """What is left, and how often which secret was found."""

    text: str
    hits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Hits:
    """Counts by name, added up over several texts."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, hits: Mapping[str, int]) -> None:
        self.counts.update(hits)


class Scrubber:
    """Takes known values and, with `patterns`, what looks like a secret out of text. Safe to share between threads."""

    def __init__(self, known: Iterable[tuple[str, str]], *, patterns: bool = True) -> None:
        pairs = list(known)
        self.scanner = Scanner(pairs, patterns=patterns)
        self._names = (
            frozenset(name for name, _ in pairs) | {UNREADABLE} | frozenset(rule.id for rule in RULES)
        )
        self._clean: dict[str, None] = {}

    def scrub(self, text: str) -> Scrubbed:
        """Return the text with a marker in place of each secret; a text without any is returned as it is."""
        if text in self._clean:
            return Scrubbed(text)
        data = text.encode("utf-8", "surrogatepass")
        spans = self.spans(data)
        if not spans:
            self._remember(text)
            return Scrubbed(text)
        return Scrubbed(spliced(data, spans).decode("utf-8", "surrogatepass"), count(spans))

    def scrub_json(self, value: Any, hits: Hits) -> Any:
        """Return a JSON value with every text in it scrubbed, names of fields too."""
        if isinstance(value, str):
            done = self.scrub(value)
            hits.add(done.hits)
            return done.text
        if isinstance(value, dict):
            return {self.scrub_json(key, hits): self.scrub_json(each, hits) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub_json(each, hits) for each in value]
        return value

    def secrets_in(self, content: bytes) -> Mapping[str, int]:
        """Tell what secrets a file holds, also packed ones; for a file that cannot be mended, only held back."""
        spans = self.spans(content)
        for unpacked, cut in unpack(content):
            spans += self.spans(unpacked)
            if cut:
                spans.append(Span(0, len(content), UNREADABLE))
        return count(spans)

    def spans(self, data: bytes) -> list[Span]:
        spans = self.scanner.find(data)
        if spans and b"[secret " in data:
            marked = [m.span() for m in MARKER.finditer(data) if m.group(1).decode() in self._names]
            spans = [s for s in spans if not any(low <= s.start and s.end <= high for low, high in marked)]
        return spans

    def _remember(self, text: str) -> None:
        """A conversation is asked about again at every step: what was clean stays clean."""
        if len(text) > 64:
            if len(self._clean) >= MOST_REMEMBERED:
                self._clean = {}
            self._clean[text] = None


def count(spans: list[Span]) -> dict[str, int]:
    return dict(Counter(span.name for span in spans))


def spliced(data: bytes, spans: list[Span]) -> bytes:
    pieces, at = [], 0
    for span in spans:
        pieces += [data[at : span.start], marker(span.name)]
        at = span.end
    return b"".join([*pieces, data[at:]])
