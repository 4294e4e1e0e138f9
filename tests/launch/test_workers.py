"""How many workers share the runs, and what the first of them does alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacebot_site.launch import machine
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import ROOT
from spacebot_site.launch.processes import Process, fitting_workers, table
from spacebot_site.launch.start import start
from tests.launch.conftest import free_port


def workers() -> dict[str, Process]:
    return {each.name: each for each in table() if "celery" in each.command}


def option(process: Process, name: str) -> str:
    return process.command[process.command.index(name) + 1]


@pytest.mark.parametrize(
    ("cores", "memory_gb", "expected"),
    [(1, 64, 1), (2, 2, 1), (2, 4.1, 1), (2, 8.2, 2), (4, 8.2, 2), (4, 16, 2), (8, 32, 4), (64, 256, 4)],
)
def test_the_default_fits_the_machine(cores: int, memory_gb: float, expected: int) -> None:
    assert fitting_workers(cores, memory_gb) == expected


def test_the_setting_says_how_many_there_are_each_under_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEBOT_WORKERS", "3")
    found = workers()
    assert list(found) == ["worker", "worker-2", "worker-3"]
    assert [option(each, "-n") for each in found.values()] == [f"{name}@spacebot" for name in found]


def test_the_first_alone_keeps_the_clock_and_indexes_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEBOT_WORKERS", "2")
    found = workers().values()
    assert [each.environment["SPACEBOT_CLOCK"] for each in found] == ["1", "0"]
    assert [option(each, "-Q") for each in found] == ["runs,embed", "runs"]


@pytest.mark.parametrize("value", ["0", "two", "-1", "1.5", "65"])
def test_a_bad_number_is_refused_before_anything_starts(
    value: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACEBOT_WORKERS", value)
    with pytest.raises(LaunchError, match=r"SPACEBOT_WORKERS is .*between 1 and 64"):
        start(home, port=free_port())
    assert not (home / "postgres").exists()


def test_a_container_is_taken_for_what_it_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    whole = machine.cores(), machine.memory_gb()
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (machine.cores(), machine.memory_gb()) == whole
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1000000000\n")
    assert (machine.cores(), machine.memory_gb()) == (1, 1.0)


@pytest.mark.parametrize("name", ["worker", "worker-2"])
def test_a_fault_is_armed_for_whichever_worker_comes_there_first(name: str, tmp_path: Path) -> None:
    (tmp_path / "worker.step.stored").touch()
    environment = {**os.environ, "SPACEBOT_FAULT_AT": str(tmp_path), "SPACEBOT_PROCESS": name}
    code = "from accounts.boundaries import reach; reach('step.stored')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, timeout=120, check=False, capture_output=True
    )
    assert done.returncode == -9
