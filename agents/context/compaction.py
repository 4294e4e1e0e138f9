"""When a conversation is compacted, and where it is cut. Pure.

Usage is that of the real request: system prompt, tool schemas, checkpoints, history and reserve, over the window. At 80 %
the oldest 30 % is summarised in the background, at 85 % the oldest half; at 95 % the oldest part is set aside at once,
without a model. A long row of short messages is summarised too, so that a turn never reads more than a few hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.context.fit import RESERVE
from agents.context.history import Line, render_line
from llm.services.tokens import PER_MESSAGE, estimate_tokens

BACKGROUND = 0.80
AGGRESSIVE = 0.85
EMERGENCY = 0.95
EMERGENCY_TARGET = 0.60
SHARES = {BACKGROUND: 0.3, AGGRESSIVE: 0.5}
MOST_LINES = 160
KEEP_LINES = 60
KEEP_AT_LEAST = 4
LINE_SHARE = 0.2
"""No single message takes more than this share of the window; the rest of it is read through `read_history`."""


@dataclass(frozen=True)
class Measured:
    """Lines with their cost, oldest first, and what stands beside them in the request."""

    lines: tuple[Line, ...]
    costs: tuple[int, ...]
    base: int
    window: int

    @property
    def usage(self) -> float:
        return (self.base + sum(self.costs)) / self.window + RESERVE


def measure(lines: Sequence[Line], *, base: int, window: int) -> Measured:
    most = int(window * LINE_SHARE)
    costs = tuple(min(most, estimate_tokens(render_line(line)) + PER_MESSAGE) for line in lines)
    return Measured(tuple(lines), costs, base, window)


def background_cut(measured: Measured) -> int | None:
    """Return the last seq to summarise in the background, None while there is no need."""
    usage = measured.usage
    if usage >= BACKGROUND:
        share = SHARES[AGGRESSIVE] if usage >= AGGRESSIVE else SHARES[BACKGROUND]
        return _cut_at(measured, _count_for(measured, int(sum(measured.costs) * share)))
    if len(measured.lines) > MOST_LINES:
        return _cut_at(measured, len(measured.lines) - KEEP_LINES)
    return None


def emergency_cut(measured: Measured) -> int | None:
    """Return the last seq that must leave the window before this very request, None while it fits."""
    if measured.usage < EMERGENCY:
        return None
    excess = measured.base + sum(measured.costs) - int((EMERGENCY_TARGET - RESERVE) * measured.window)
    return _cut_at(measured, _count_for(measured, excess))


def _count_for(measured: Measured, tokens: int) -> int:
    """Return how many of the oldest lines make up `tokens`."""
    total = count = 0
    for cost in measured.costs:
        if total >= tokens:
            break
        total, count = total + cost, count + 1
    return count


def _cut_at(measured: Measured, count: int) -> int | None:
    """Return the seq to cut after: a turn's end near `count`, sparing the newest and what is unanswered."""
    lines = measured.lines
    first_open = next((at for at, line in enumerate(lines) if line.unanswered), len(lines))
    most = min(first_open, len(lines) - KEEP_AT_LEAST)
    count = min(count, most)
    if count <= 0:
        return None
    for at in range(count, most + 1):
        if at == len(lines) or (lines[at].inbound and not lines[at - 1].inbound):
            return lines[at - 1].seq
    return lines[count - 1].seq
