"""`bench faults`: people write, processes are killed, and afterwards nothing is lost and nothing happened twice."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacebot_site.bench.client import Api
from spacebot_site.bench.home import BenchHome
from spacebot_site.bench.killer import Killer, is_well
from spacebot_site.bench.load import Load, find_agent
from spacebot_site.bench.model import ModelServer
from spacebot_site.bench.people import Ear, People

MODEL_LATENCY_MS = 150
SETTLES_WITHIN_S = 180.0


@dataclass(frozen=True)
class Amount:
    """`rounds`: how often each boundary is armed. The storm ends after `storm_s` even if acts are left."""

    conversations: int = 100
    each: int = 3
    pause_s: float = 0.15
    rounds: int = 1
    at_random: int = 30
    storm_s: float = 400


FULL = Amount()
QUICK = Amount(conversations=12, each=2, pause_s=0.3, at_random=6, storm_s=24)


@dataclass
class Found:
    kills: dict[str, int] = field(default_factory=dict)
    unreached: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    messages: int = 0


def endure(*, quick: bool, seed: int) -> Found:
    """Run the storm on a throwaway installation and return what was killed and what was broken."""
    amount = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="spacebot-faults-") as folder, ModelServer() as model:
        environment = {"SPACEBOT_FAULT_AT": folder, "SPACEBOT_RESTART_MOST_S": "0.5"}
        with BenchHome(model_url=model.url, environment=environment) as home:
            _tell("start")
            home.start()
            model.set_latency(MODEL_LATENCY_MS)
            return asyncio.run(_storm(home, Path(folder), amount, seed))


async def _storm(home: BenchHome, faults: Path, amount: Amount, seed: int) -> Found:
    api, killer = Api(home.port, home.token), Killer(home.path, faults, seed=seed)
    conversations = await Load(api, await find_agent(api)).start_conversations(amount.conversations)
    people, ear = People(api, conversations, seed=seed), Ear(api)
    listening = asyncio.create_task(ear.listen())
    while ear.last is None:
        await asyncio.sleep(0.05)
    _tell("storm")
    stop = asyncio.Event()
    writing = asyncio.create_task(people.write(each=amount.each, pause_s=amount.pause_s, stop=stop))
    acts = killer.plan(rounds=amount.rounds, at_random=amount.at_random)
    await killer.run(acts, until=time.monotonic() + amount.storm_s)
    stop.set()
    _tell("calm")
    await writing
    found = Found(killer.kills, killer.unreached, messages=len(people.marks))
    found.violations = await _judge(home, people, ear)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
    api.close()
    return found


async def _judge(home: BenchHome, people: People, ear: Ear) -> list[str]:
    """Wait until the installation is well and has settled, then ask for the verdict."""
    give_up = time.monotonic() + SETTLES_WITHIN_S
    while not is_well(home.path) and time.monotonic() < give_up:
        await asyncio.sleep(0.2)
    verdict: dict[str, Any] = {"settled": False}
    while not verdict["settled"] and time.monotonic() < give_up:
        await asyncio.sleep(0.5)
        verdict = json.loads(await asyncio.to_thread(home.run_module, "spacebot_site.bench.verdict"))
    if not verdict["settled"]:
        return [f"nothing settled within {SETTLES_WITHIN_S:.0f} s"]
    await asyncio.sleep(6)
    return [*verdict["violations"], *_check_people(verdict, people, ear)]


def _check_people(verdict: dict[str, Any], people: People, ear: Ear) -> list[str]:
    """Compare what the people sent and heard with what is stored."""
    found = []
    stored = set(verdict["marks"])
    found += [f"{mark} was accepted and is gone" for mark in people.marks if mark not in stored]
    found += [f"message {number} was heard {times} times" for number, times in ear.heard.items() if times > 1]
    if not ear.fell_behind:
        missed = [number for number in verdict["message_ids"] if not ear.heard[number]]
        found += [f"message {number} was never heard" for number in missed]
    return found


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)
