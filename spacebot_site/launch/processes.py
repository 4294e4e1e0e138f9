"""The process set: what runs, how it is started, how we know that it is well, and what happens when it dies.

This table is the only place that names them. `${…}` in a command is filled in from `Place`.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from spacebot_site.launch import machine
from spacebot_site.launch.errors import LaunchError


@dataclass(frozen=True)
class Place:
    """Where a set of processes runs."""

    home: Path
    port: int
    bind: str = "127.0.0.1"


@dataclass(frozen=True)
class Health:
    """Well means: `address` answers HTTP below 500, or the process touched its pulse file lately."""

    address: str = ""
    pulse_max_age_s: float = 0
    start_within_s: float = 60
    interval_s: float = 15


def _longest_wait_s() -> float:
    return float(os.environ.get("SPACEBOT_RESTART_MOST_S", "").strip() or 30)


@dataclass(frozen=True)
class Restart:
    """After a death wait `first_s`, then twice as long each time up to `most_s`.

    A child that was well for `forgive_s` starts over at `first_s`.
    """

    first_s: float = 0.2
    most_s: float = field(default_factory=_longest_wait_s)
    forgive_s: float = 60

    def delay_s(self, deaths: int) -> float:
        return float(min(self.most_s, self.first_s * 2 ** max(0, deaths - 1)))


@dataclass(frozen=True)
class Process:
    name: str
    command: tuple[str, ...]
    health: Health
    restart: Restart = Restart()
    stop_signal: int = signal.SIGTERM
    stop_within_s: float = 10
    environment: dict[str, str] = field(default_factory=dict)


WEB = {
    "uvicorn": (
        "${python}", "-m", "uvicorn", "spacebot_site.asgi:application", "--host", "${bind}", "--port", "${port}",
        "--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3", "--ws-max-size", "1048576",
    ),
    "daphne": (
        "${python}", "-m", "daphne", "-b", "${bind}", "-p", "${port}", "-v", "0", "--access-log", "/dev/null",
        "spacebot_site.asgi:application",
    ),
}  # fmt: skip


MOST_WORKERS = 64
GB_PER_WORKER = 3.5
"""A worker takes 110 MB; a machine of 4 GB has better uses for a second one's."""


def table() -> tuple[Process, ...]:
    """Return the processes in the order in which they start; they stop the other way round."""
    return (
        Process(
            name="web",
            command=WEB[os.environ.get("SPACEBOT_ASGI", "").strip() or "uvicorn"],
            health=Health(address="/healthz"),
        ),
        *(_worker(number) for number in range(1, count_workers() + 1)),
        Process(
            name="gateway",
            command=("${python}", "manage.py", "gateway"),
            health=Health(pulse_max_age_s=60),
            environment={"SPACEBOT_PAGES": "0"},
        ),
    )  # fmt: skip


def _worker(number: int) -> Process:
    """Return one of the workers. The first also keeps the clock and indexes memory."""
    name = "worker" if number == 1 else f"worker-{number}"
    threads = os.environ.get("SPACEBOT_WORKER_THREADS", "").strip() or "256"
    return Process(
        name=name,
        command=(
            "${python}", "-m", "celery", "-A", "spacebot_site.celery", "worker", "-P", "threads", "-c", threads,
            "-Q", "runs,embed" if number == 1 else "runs", "-l", "warning", "--without-gossip", "--without-mingle",
            "--without-heartbeat", "-n", f"{name}@spacebot",
        ),
        health=Health(pulse_max_age_s=60),
        environment={
            "SPACEBOT_CLOCK": str(int(number == 1)), "SPACEBOT_PAGES": "0", "CELERY_SKIP_CHECKS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
    )  # fmt: skip


def count_workers() -> int:
    """Return how many workers share the runs: what `SPACEBOT_WORKERS` says, or what fits this machine.

    A worker is one interpreter and fills one core at most. Raises LaunchError for what is no number.
    """
    raw = os.environ.get("SPACEBOT_WORKERS", "").strip()
    if not raw:
        return fitting_workers(machine.cores(), machine.memory_gb())
    if not raw.isdigit() or not 1 <= int(raw) <= MOST_WORKERS:
        raise LaunchError(f"SPACEBOT_WORKERS is {raw!r}", f"give a number between 1 and {MOST_WORKERS}")
    return int(raw)


def fitting_workers(cores: int, memory_gb: float) -> int:
    """Return the default: one on a small machine, two where there are two cores, then one for every two cores up to four."""
    by_cores = 1 if cores < 2 else max(2, cores // 2)
    return max(1, min(by_cores, int(memory_gb / GB_PER_WORKER), 4))


def command_line(process: Process, place: Place) -> list[str]:
    values = {"python": sys.executable, "home": str(place.home), "port": str(place.port), "bind": place.bind}
    return [Template(part).substitute(values) for part in process.command]
