"""Kills processes of an installation with SIGKILL: at random, and at every named boundary of the code."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

from accounts.boundaries import WEB_BOUNDARIES, WORKER_BOUNDARIES
from spacebot_site.bench import family
from spacebot_site.launch import embedded
from spacebot_site.launch.state import find_running

BOUNDARIES = (
    *(f"web.{name}" for name in WEB_BOUNDARIES),
    *(f"worker.{name}" for name in WORKER_BOUNDARIES),
)
VICTIMS = ("worker", "web", "gateway", "valkey", "postgres", "postgres backend")
WELL_AGAIN_S = 30.0
FIRES_WITHIN_S = 20.0


class Killer:
    """`kills` counts the processes that died, by what killed them."""

    def __init__(self, home: Path, faults: Path, *, seed: int) -> None:
        self.home = home
        self.faults = faults
        self.random = random.Random(seed)
        self.kills: dict[str, int] = {}
        self.unreached: list[str] = []

    def plan(self, *, rounds: int, at_random: int) -> list[str]:
        """Return what to kill, shuffled: each boundary `rounds` times, each victim equally often."""
        acts = [*BOUNDARIES * rounds, *(VICTIMS[number % len(VICTIMS)] for number in range(at_random))]
        self.random.shuffle(acts)
        return acts

    async def run(self, acts: list[str], *, until: float) -> None:
        """Do the acts in turn, most of them after the last victim is well again, until the time is up."""
        for act in acts:
            if time.monotonic() > until:
                self.unreached.append(act)
                continue
            if act in BOUNDARIES:
                await self._kill_at(act, until)
            else:
                self._kill(act)
            if self.random.random() < 0.8:
                await self._wait_until_well()
            await asyncio.sleep(self.random.uniform(0.1, 0.8))

    async def _kill_at(self, boundary: str, until: float) -> None:
        """Arm a boundary and wait until a process has died there."""
        armed = self.faults / boundary
        armed.touch()
        give_up = min(time.monotonic() + FIRES_WITHIN_S, max(until, time.monotonic() + 3))
        while armed.exists() and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
        try:
            armed.unlink()
            self.unreached.append(boundary)
        except FileNotFoundError:
            self._count(boundary)

    def _kill(self, victim: str) -> None:
        name, _, backend = victim.partition(" ")
        found = family.pids_by_name(self.home)
        if backend:
            pids = found.get(name, [])[1:]
        else:
            pids = [each[0] for known, each in found.items() if known.partition("-")[0] == name]
        self.random.shuffle(pids)
        if pids:
            try:
                os.kill(pids[0], signal.SIGKILL)
                self._count(victim)
            except ProcessLookupError:
                return

    def _count(self, what: str) -> None:
        self.kills[what] = self.kills.get(what, 0) + 1

    async def _wait_until_well(self) -> None:
        give_up = time.monotonic() + WELL_AGAIN_S
        await asyncio.sleep(0.1)
        while not is_well(self.home) and time.monotonic() < give_up:
            await asyncio.sleep(0.1)


def is_well(home: Path) -> bool:
    """Tell whether the supervisor, all its children and both servers run."""
    state = find_running(home)
    return bool(state and state.is_healthy and all(embedded.identities(home).values()))
