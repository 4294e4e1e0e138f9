"""Counting attempts: what was tried, what held, and a sentence for each that did not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Tally:
    """One class's count. An attempt that could not be made does not count as held: do not record it."""

    name: str
    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def record(self, attempt: str, *, held: bool, saw: str = "") -> None:
        self.tried += 1
        if not held:
            self.failures.append(f"{self.name}: {attempt}{': ' + saw[:200] if saw else ''}")

    @property
    def held(self) -> int:
        return self.tried - len(self.failures)


@dataclass(frozen=True)
class AttackClass:
    """`act` makes every attempt of the class. It begins with an empty database, with Django ready."""

    name: str
    act: Callable[[Tally], None]
