"""Every driver that this machine has, and a command in a workspace of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.sandbox import launcher
from agents.sandbox.command import Access, Command, Finished
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.launcher import run
from agents.sandbox.probe import trials

WORKING = [trial.name for trial in trials() if trial.works]
ABSENT = [trial for trial in trials() if not trial.works]

Sh = Callable[..., Finished]


@pytest.fixture(
    params=[driver for driver in DRIVERS.values() if driver.contains], ids=lambda driver: driver.name
)
def walls(request: pytest.FixtureRequest) -> Sandbox:
    """A driver that makes walls. One that does not work here is skipped with its reason, which is shown."""
    driver: Sandbox = request.param
    for trial in ABSENT:
        if trial.name == driver.name:
            pytest.skip(f"{trial.name}: {trial.reason}")
    return driver


@pytest.fixture(params=list(DRIVERS.values()), ids=lambda driver: driver.name)
def driver(request: pytest.FixtureRequest) -> Sandbox:
    """Any driver, the bare one among them: what no wall is needed for holds for it too."""
    found: Sandbox = request.param
    for trial in ABSENT:
        if trial.name == found.name:
            pytest.skip(f"{trial.name}: {trial.reason}")
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "home"
    folder.mkdir()
    return folder


def line(text: str, home: Path, **options: Any) -> Command:
    access = options.pop("access", Access(writable=(home,)))
    return Command(argv=("/bin/sh", "-c", text), cwd=home, access=access, **options)


def runner(driver: Sandbox, home: Path) -> Sh:
    def sh(text: str, *, timeout_s: float = 60, **options: Any) -> Finished:
        keys = ("cancel", "stdin", "on_output", "on_glance", "merge_stderr")
        ours = {key: options.pop(key) for key in keys if key in options}
        return run(line(text, home, **options), driver, timeout_s=timeout_s, **ours)

    return sh


@pytest.fixture
def sh(driver: Sandbox, home: Path) -> Sh:
    """Run a line under any driver."""
    return runner(driver, home)


@pytest.fixture
def inside(walls: Sandbox, home: Path) -> Sh:
    """Run a line behind walls."""
    return runner(walls, home)


class FromFirstWord:
    """The launcher's clock, which stands still until the command has said something: starting takes what it takes."""

    LONGEST_S = 60.0

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.heard: float | None = None

    def hear(self, piece: bytes) -> None:
        if self.heard is None:
            self.heard = time.monotonic()

    def monotonic(self) -> float:
        now = time.monotonic()
        late_s = (now if self.heard is None else self.heard) - self.begun
        return now - min(late_s, self.LONGEST_S)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FromFirstWord:
    clock = FromFirstWord()
    monkeypatch.setattr(launcher, "time", clock)
    return clock
