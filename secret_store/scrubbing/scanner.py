"""Where the secrets are in a text: one fast search for all known forms and all anchors, then the other readings of it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation

from secret_store.scrubbing import views
from secret_store.scrubbing.forms import SHORTEST_BYTES, Form, forms_of, is_recognisable
from secret_store.scrubbing.markers import UNREADABLE
from secret_store.scrubbing.rules import RULES, Rule

DEEPEST = 4
MOST_DECODED = 48 * 1024 * 1024
"""What one scan decodes and unpacks at most; anything beyond counts as a secret."""
LONGEST_TOKEN_RUN = 400
LONGEST_TAIL = 4_096
MOST_DFA_BYTES = 200_000
DIGIT = re.compile(rb"[0-9]")
RUN_RULES = tuple(rule for rule in RULES if not rule.anchors)
ANY_TOKEN = re.compile(b"|".join(b"(?:" + rule.expression.pattern + b")" for rule in RUN_RULES))
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Span(NamedTuple):
    start: int
    end: int
    name: str


class _Target(NamedTuple):
    """What one entry of the search stands for: a form of a known value, or rules to try."""

    name: str
    form: Form | None
    rules: tuple[Rule, ...]


class Scanner:
    """Finds the values it was made with and, with `patterns`, what looks like a secret. Holds no state between scans."""

    def __init__(self, known: Iterable[tuple[str, str]], *, patterns: bool) -> None:
        self.patterns = patterns
        self.longest = 0
        self._targets: list[_Target] = []
        entries: list[bytes] = []
        for name, value in known:
            if not is_recognisable(value):
                continue
            for form in forms_of(value.strip()):
                self.longest = max(self.longest, len(form.text))
                entries.append(form.text.lower())
                self._targets.append(_Target(name, form, ()))
        if patterns:
            for anchor, rules in _anchors().items():
                entries.append(anchor)
                self._targets.append(_Target("", None, rules))
        self.lowered_forms = sorted(
            form for form, target in zip(entries, self._targets, strict=True) if target.form
        )
        self._names = {
            form: target.name for form, target in zip(entries, self._targets, strict=True) if target.form
        }
        self._beginnings = {form[:SHORTEST_BYTES] for form in self.lowered_forms}
        # The faster automaton takes about 256 bytes for each byte of a form.
        small = sum(map(len, entries)) <= MOST_DFA_BYTES
        kind = Implementation.DFA if small else Implementation.ContiguousNFA
        self._search = BytesAhoCorasick(entries, implementation=kind) if entries else None

    def find(self, data: bytes) -> list[Span]:
        """Return the secrets' places, in order and apart from each other; a longer one gives its name."""
        if self._search is None or len(data) < SHORTEST_BYTES:
            return []
        return merged(self._find(data, 0, _Budget()))

    def beginning_at_end(self, data: bytes, *, shortest: int = 1) -> tuple[int, bytes] | None:
        """Return how many of the last bytes may be the beginning of a form that goes on, and that form; the most."""
        low = data[-min(self.longest - 1, LONGEST_TAIL) :].lower() if self.longest > 1 else b""
        for at in range(len(low) - shortest + 1):
            part = low[at:]
            if len(part) >= SHORTEST_BYTES and part[:SHORTEST_BYTES] not in self._beginnings:
                continue
            place = bisect_left(self.lowered_forms, part)
            if place < len(self.lowered_forms) and self.lowered_forms[place].startswith(part):
                return len(part), self.lowered_forms[place]
        return None

    def half_at_end(self, data: bytes) -> Span | None:
        """Return the place of half a form or more with which a text ends."""
        found = self.beginning_at_end(data, shortest=SHORTEST_BYTES)
        if found is None or 2 * found[0] < len(found[1]):
            return None
        return Span(len(data) - found[0], len(data), self._names[found[1]])

    def _find(self, data: bytes, depth: int, budget: _Budget) -> list[Span]:
        spans = self._find_plain(data)
        if depth >= DEEPEST:
            return spans
        if (view := views.unescaped(data)) is not None:
            spans += [
                Span(*view.origin(found.start, found.end), found.name)
                for found in self._find(view.text, depth + 1, budget)
            ]
        for run in views.dumps(data):
            spans += self._in_run(run, run.text, depth, budget, exact=True)
        spans += self._find_in_runs(data, depth, budget)
        return spans

    def _find_plain(self, data: bytes) -> list[Span]:
        assert self._search is not None
        spans: list[Span] = []
        beyond: dict[str, int] = {}
        for index, start, end in self._search.find_matches_as_indexes(data.lower(), overlapping=True):
            target = self._targets[index]
            if target.form is None:
                for rule in target.rules:
                    if start >= beyond.get(rule.id, 0) and (found := rule.find(data, start)):
                        spans.append(Span(*found, rule.id))
                        beyond[rule.id] = found[1]
            elif target.form.any_case or data[start:end] == target.form.text:
                spans.append(
                    _widened(data, start, end, target.name)
                    if target.form.loose
                    else Span(start, end, target.name)
                )
        return spans

    def _find_in_runs(self, data: bytes, depth: int, budget: _Budget) -> list[Span]:
        """Look into all runs at once: what they decode to is laid side by side and searched together."""
        spans: list[Span] = []
        pieces: list[bytes] = []
        starts: list[int] = []
        owners: list[views.Run] = []
        size = 0
        for run in views.runs(data):
            if self.patterns and len(run.text) <= LONGEST_TOKEN_RUN:
                spans += _tokens(data, run)
            if len(run.segments) > 1:
                spans += [Span(*run.origin(f.start, f.end), f.name) for f in self._find_plain(run.text)]
            for content, cut in views.decodings(run.text):
                if cut or budget.is_spent(len(content)):
                    spans.append(Span(run.start, run.end, UNREADABLE))
                pieces.append(content)
                starts.append(size)
                owners.append(run)
                size += len(content) + 1
        if pieces:
            for found in self._find(b"\0".join(pieces), depth + 1, budget):
                owner = owners[bisect_right(starts, found.start) - 1]
                spans.append(Span(owner.start, owner.end, found.name))
        return spans

    def _in_run(
        self, run: views.Run, text: bytes, depth: int, budget: _Budget, *, exact: bool
    ) -> Iterable[Span]:
        found = self._find_plain(text)
        if found and exact:
            return [Span(*run.origin(each.start, each.end), each.name) for each in found]
        names = [
            each.name
            for content, _ in views.decodings(text)
            if not budget.is_spent(len(content))
            for each in self._find(content, depth + 1, budget)
        ]
        return [Span(run.start, run.end, name) for name in names]


class _Budget:
    """How much one scan may still decode."""

    def __init__(self) -> None:
        self.left = MOST_DECODED

    def is_spent(self, size_bytes: int) -> bool:
        self.left -= size_bytes
        return self.left < 0


def merged(spans: list[Span]) -> list[Span]:
    """Join what overlaps, under the name of its longest part."""
    joined: list[Span] = []
    lengths: list[int] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if not joined or span.start >= joined[-1].end:
            joined.append(span)
            lengths.append(span.end - span.start)
            continue
        last = joined[-1]
        longer = span.end - span.start > lengths[-1]
        lengths[-1] = max(lengths[-1], span.end - span.start)
        joined[-1] = Span(last.start, max(last.end, span.end), span.name if longer else last.name)
    return joined


def _widened(data: bytes, start: int, end: int, name: str) -> Span:
    """Take in the characters beside a base64 form, which hold its first and last bits, and its padding."""
    if start and data[start - 1] in _BASE64:
        start -= 1
    if end < len(data) and data[end] in _BASE64:
        end += 1
    while end < len(data) and data[end] == ord("="):
        end += 1
    return Span(start, end, name)


def _tokens(data: bytes, run: views.Run) -> list[Span]:
    if not DIGIT.search(run.text):
        return []
    window = max(0, run.start - 20), run.end + 120
    if not ANY_TOKEN.search(data, *window):
        return []
    return [
        Span(*match.span(), rule.id)
        for rule in RUN_RULES
        if (match := rule.expression.search(data, *window)) and rule.counts(match.group())
    ]


@cache
def _anchors() -> dict[bytes, tuple[Rule, ...]]:
    found: dict[bytes, tuple[Rule, ...]] = {}
    for rule in RULES:
        for anchor in rule.anchors:
            found[anchor] = (*found.get(anchor, ()), rule)
    return found
