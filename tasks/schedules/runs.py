"""How a firing becomes a run. Runs live in a higher package, which hands its functions in at start."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Order:
    """What a run is told. `due_at` is the instant it stands for."""

    firing_id: int
    schedule_id: int
    organization_id: int
    agent_id: int
    conversation_id: int
    owner_id: int
    name: str
    prompt: str
    time_zone: str
    due_at: datetime
    timeout_s: int


@dataclass
class _Engine:
    start: Callable[[Sequence[Order]], dict[int, int]]
    stop: Callable[[int, str], None]
    agents_on: Callable[[Collection[int]], set[int]]
    agents_paused: Callable[[Collection[int]], set[int]]


_engine: list[_Engine] = []


def connect(
    *,
    start: Callable[[Sequence[Order]], dict[int, int]],
    stop: Callable[[int, str], None],
    agents_on: Callable[[Collection[int]], set[int]],
    agents_paused: Callable[[Collection[int]], set[int]],
) -> None:
    """Hand in who starts runs (inside the caller's transaction; returns run ids by firing), stops one that has not
    begun, and says which agents are switched on, and which are paused."""
    _engine[:] = [_Engine(start, stop, agents_on, agents_paused)]


def start_runs(orders: Sequence[Order]) -> dict[int, int]:
    return _engine[0].start(orders) if orders else {}


def stop_run(run_id: int, reason: str) -> None:
    _engine[0].stop(run_id, reason)


def agents_on(agent_ids: Collection[int]) -> set[int]:
    return _engine[0].agents_on(agent_ids)


def agents_paused(agent_ids: Collection[int]) -> set[int]:
    return _engine[0].agents_paused(agent_ids)
