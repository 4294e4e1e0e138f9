"""The loop guard: notices a model that repeats itself and stops the repetition, not the run.

Counts are consecutive: a different call resets them. Warnings and blocks come back as the call's result, so that
the model can recover. Figures: warn / block / outcome-identical block / ping-pong, by kind of process.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class GuardLimits:
    warn: int
    block: int
    same_outcome: int
    cycles: int
    polling_factor: int = 2


LIMITS = {
    "channel": GuardLimits(warn=2, block=4, same_outcome=3, cycles=3),
    "cron": GuardLimits(warn=2, block=4, same_outcome=3, cycles=3),
    "branch": GuardLimits(warn=3, block=5, same_outcome=3, cycles=3),
    "colleague": GuardLimits(warn=3, block=5, same_outcome=3, cycles=3),
    "autonomy": GuardLimits(warn=2, block=4, same_outcome=3, cycles=3),
    "keeping": GuardLimits(warn=3, block=5, same_outcome=3, cycles=3),
    "compaction": GuardLimits(warn=2, block=4, same_outcome=3, cycles=3),
    "synthesis": GuardLimits(warn=2, block=4, same_outcome=3, cycles=3),
    "worker": GuardLimits(warn=4, block=7, same_outcome=4, cycles=4, polling_factor=3),
}


@dataclass(frozen=True)
class Verdict:
    """`blocked` calls do not run; `note` is told to the model either way."""

    blocked: bool = False
    note: str = ""


@dataclass
class LoopGuard:
    limits: GuardLimits
    history: deque[str] = field(default_factory=lambda: deque(maxlen=30))
    outcomes: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=30))

    def check(self, name: str, arguments: dict[str, Any], *, polling: bool = False) -> Verdict:
        """Judge a call before it runs."""
        key = _digest(name, json.dumps(arguments, sort_keys=True, default=str))
        factor = self.limits.polling_factor if polling else 1
        repeats = _trailing(self.history, key) + 1
        self.history.append(key)
        if repeats > self.limits.block * factor:
            return Verdict(
                blocked=True,
                note=f"Blocked: {name} was called {repeats} times in a row with the same arguments. Do something else or finish.",
            )
        if self._same_outcomes(key) >= self.limits.same_outcome * factor:
            return Verdict(
                blocked=True,
                note=f"Blocked: {name} keeps giving the same result. Use what you have or try another way.",
            )
        if (length := self._cycle_length()) and not polling:
            return Verdict(
                blocked=True,
                note=f"Blocked: the last calls repeat in a cycle of {length}. Break the pattern or finish.",
            )
        if repeats > self.limits.warn * factor:
            return Verdict(note=f"Note: this is call {repeats} of {name} with the same arguments.")
        return Verdict()

    def saw(self, name: str, arguments: dict[str, Any], result: str) -> None:
        """Remember what a call gave."""
        key = _digest(name, json.dumps(arguments, sort_keys=True, default=str))
        self.outcomes.append((key, _digest(result[:1000])))

    def _same_outcomes(self, key: str) -> int:
        count, outcome = 0, None
        for past_key, past_outcome in reversed(self.outcomes):
            if past_key != key or (outcome is not None and past_outcome != outcome):
                break
            outcome, count = past_outcome, count + 1
        return count

    def _cycle_length(self) -> int:
        calls = list(self.history)
        for length in (2, 3):
            needed = length * self.limits.cycles
            tail = calls[-needed:]
            is_full = len(tail) == needed and len(set(tail[:length])) == length
            if is_full and all(tail[i] == tail[i % length] for i in range(needed)):
                return length
        return 0


def _trailing(history: deque[str], key: str) -> int:
    count = 0
    for past in reversed(history):
        if past != key:
            break
        count += 1
    return count


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
