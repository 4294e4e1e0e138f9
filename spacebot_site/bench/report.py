"""What a bench prints: a table beside the aims, or one JSON object on the last line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

Value = float | int | None


@dataclass(frozen=True)
class Aim:
    """What a figure should be: at most, or at least, `bound`."""

    bound: float
    at_least: bool = False

    def is_met(self, value: Value) -> bool:
        if value is None:
            return False
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


def show(figures: Mapping[str, Value], aims: Mapping[str, Aim], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    width = max(len(name) for name in figures)
    print(f"{'':<{width}} {'measured':>12} {'aim':>10}")
    for name, value in figures.items():
        aim = aims.get(name)
        shown = "-" if value is None else f"{value:,g}"
        verdict = "" if aim is None else "met" if aim.is_met(value) else "missed"
        print(f"{name:<{width}} {shown:>12} {aim or ''!s:>10} {verdict}".rstrip())


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie, between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
