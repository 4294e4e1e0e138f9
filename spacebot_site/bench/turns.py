"""`bench turns`: how long a turn takes beyond the model, how many fit in a second, what they cost."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from dataclasses import dataclass, field

from spacebot_site.bench import family
from spacebot_site.bench.client import Api, events
from spacebot_site.bench.home import BenchHome
from spacebot_site.bench.load import Load, Turn, find_agent
from spacebot_site.bench.model import ModelServer
from spacebot_site.bench.report import Aim, Value, percentile

AIMS = {
    "single_p50_ms": Aim(25),
    "single_p95_ms": Aim(40),
    "steady_p50_ms": Aim(40),
    "steady_p95_ms": Aim(120),
    "burst50_s": Aim(1.8),
    "burst200_s": Aim(4),
    "turns_per_s": Aim(40, at_least=True),
    "lost": Aim(0),
    "doubled": Aim(0),
    "crossed": Aim(0),
    "first_turn_ms": Aim(300),
    "second_start_s": Aim(5),
    "memory_mb": Aim(350),
    "idle_model_calls": Aim(0),
}
KEYS = (
    "single_p50_ms", "single_p95_ms", "steady_p50_ms", "steady_p95_ms", "burst50_s", "burst200_s", "turns_per_s",
    "cpu_ms", "lost", "doubled", "crossed", "first_turn_ms", "second_start_s", "memory_mb", "idle_model_calls",
)  # fmt: skip


@dataclass(frozen=True)
class Amount:
    """How much is measured. Medians are taken over `bursts` bursts of each size."""

    single: int = 200
    steady_s: float = 30
    bursts: int = 3
    capacity_s: float = 15
    capacity_width: int = 24
    idle_s: float = 30


FULL = Amount()
QUICK = Amount(single=60, steady_s=6, bursts=1, capacity_s=4, idle_s=5)


@dataclass
class Measured:
    figures: dict[str, Value] = field(default_factory=dict)
    cpu_by_process: dict[str, float] = field(default_factory=dict)
    memory_at_rest: dict[str, float] = field(default_factory=dict)
    memory_after_load: dict[str, float] = field(default_factory=dict)


def measure(*, quick: bool) -> Measured:
    """Measure a throwaway installation; returns the figures in the order of KEYS."""
    amount, measured = QUICK if quick else FULL, Measured()
    figures = measured.figures
    with ModelServer() as model, BenchHome(model_url=model.url) as home:
        _tell("first start")
        home.start()
        conversation = asyncio.run(_meet(home))
        _tell("second start")
        home.stop()
        figures["second_start_s"] = home.start()
        asyncio.run(_run(home, model, amount, measured, conversation))
        _tell("idle")
        time.sleep(2)
        model.take()
        time.sleep(amount.idle_s)
        measured.memory_after_load = family.memory_mb(home.path)
        figures["idle_model_calls"] = model.take()["calls"]
    measured.figures = {key: _rounded(figures[key]) for key in KEYS}
    return measured


async def _meet(home: BenchHome) -> int:
    """Start the conversation in which, after the second start, the first turn is taken."""
    api = Api(home.port, home.token)
    found = await Load(api, await find_agent(api)).start_conversations(1)
    api.close()
    return found[0]


async def _run(
    home: BenchHome, model: ModelServer, amount: Amount, measured: Measured, conversation: int
) -> None:
    figures, api = measured.figures, Api(home.port, home.token)
    load = Load(api, agent_id=0)
    async with events(api, load.hear):
        _tell("first turn")
        figures["first_turn_ms"] = (await load.turn(conversation)).took_s * 1000
        await asyncio.sleep(1)
        measured.memory_at_rest = family.memory_mb(home.path)
        figures["memory_mb"] = sum(measured.memory_at_rest.values())
        load.agent_id = await find_agent(api)
        conversations = await load.start_conversations(200)
        await load.at_once(conversations[: amount.capacity_width])
        _tell("sequential turns")
        figures |= _overhead("single", await load.sequential(conversations[0], amount.single), model)
        _tell("capacity")
        before = family.cpu_ms(home.path)
        width = conversations[: amount.capacity_width]
        turns, seconds = await load.as_fast_as_it_goes(width, seconds=amount.capacity_s)
        used = family.spent(before, family.cpu_ms(home.path))
        figures["turns_per_s"] = len(turns) / seconds
        measured.cpu_by_process = {name: value / len(turns) for name, value in used.items()}
        figures["cpu_ms"] = sum(measured.cpu_by_process.values())
        model.set_latency(1000)
        model.take()
        _tell("steady turns")
        steady = await load.steadily(conversations[:50], per_s=10, seconds=amount.steady_s)
        figures |= _overhead("steady", steady, model)
        _tell("bursts")
        for size in (50, 200):
            walls = [(await load.at_once(conversations[:size]))[1] for _ in range(amount.bursts)]
            _tell(f"{size} at once: " + ", ".join(f"{wall:.2f} s" for wall in walls))
            figures[f"burst{size}_s"] = statistics.median(walls)
        await asyncio.sleep(0.5)
    figures |= load.faults()
    api.close()


def _overhead(name: str, turns: list[Turn], model: ModelServer) -> dict[str, Value]:
    """Return the median and 95th percentile of all that was not the model.

    That is from send to the model's request, and from the model's last byte to the reply in the client.
    """
    times = model.take()["times"]
    found = []
    for turn in turns:
        if turn.replies and turn.mark in times:
            arrived, sent = times[turn.mark][0][0], times[turn.mark][-1][1]
            found.append(1000 * ((arrived - turn.sent_at) + (turn.replied_at - sent)))
    if not found:
        return {f"{name}_p50_ms": None, f"{name}_p95_ms": None}
    return {f"{name}_p50_ms": percentile(found, 0.5), f"{name}_p95_ms": percentile(found, 0.95)}


def _rounded(value: Value) -> Value:
    return value if value is None or isinstance(value, int) else round(value, 2)


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)
