"""What a memory counts for now: a pure function, so that computing it twice changes nothing.

The database has the same function, `memory_importance`, for ranking inside a statement.
"""

from __future__ import annotations

import math

from memory.models import MemoryType

BASE = {
    MemoryType.IDENTITY: 1.0,
    MemoryType.GOAL: 0.9,
    MemoryType.HUMAN: 0.85,
    MemoryType.DECISION: 0.8,
    MemoryType.TODO: 0.8,
    MemoryType.PREFERENCE: 0.7,
    MemoryType.FACT: 0.6,
    MemoryType.EVENT: 0.4,
    MemoryType.OBSERVATION: 0.3,
}
LASTING = (MemoryType.IDENTITY, MemoryType.HUMAN)
HALF_LIFE_DAYS = {
    MemoryType.GOAL: 90.0,
    MemoryType.TODO: 90.0,
    MemoryType.EVENT: 60.0,
    MemoryType.OBSERVATION: 60.0,
}
USUAL_HALF_LIFE_DAYS = 180.0
FLOOR = 0.4
PINNED = 0.95


def importance_now(
    base: float,
    *,
    type: str,
    pinned: bool = False,
    age_days: float = 0.0,
    idle_days: float | None = None,
    accesses: int = 0,
    edges: int = 0,
) -> float:
    """Return 0 to 1. It fades with the time since it was learned or last used, to 40 % of its base at the least;
    use and edges lift it a little; what is pinned stays on top, identity and profiles do not fade.
    """
    if pinned:
        return max(base, PINNED)
    kind = MemoryType(type)
    kept = 1.0
    if kind not in LASTING:
        idle = age_days if idle_days is None else min(age_days, idle_days)
        half_life = HALF_LIFE_DAYS.get(kind, USUAL_HALF_LIFE_DAYS)
        kept = FLOOR + (1 - FLOOR) * 2 ** -(max(0.0, idle) / half_life)
    used = min(0.15, 0.03 * math.log1p(max(0, accesses)))
    tied = min(0.10, 0.02 * max(0, edges))
    return min(1.0, base * kept + used + tied)
