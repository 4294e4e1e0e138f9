"""`./spacebot test`: every check in turn, all of them even when one fails, pytest last."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spacebot_site.launch import embedded
from spacebot_site.launch.environment_setup import VENV
from spacebot_site.launch.home import ROOT

NOT_FOR_TESTS = ("SPACEBOT_HOME", "DATABASE_URL", "REDIS_URL", "SPACEBOT_PORT", "SPACEBOT_PUBLIC_URL")


@dataclass(frozen=True)
class Gate:
    name: str
    command: tuple[str, ...]


GATES = (
    Gate("format", ("ruff", "format", "--check", ".", "spacebot")),
    Gate("lint", ("ruff", "check", ".", "spacebot")),
    Gate("types", ("mypy",)),
    Gate("layers", ("lint-imports",)),
    Gate("migrations", ("python", "manage.py", "makemigrations", "--check", "--dry-run")),
    Gate("openapi", ("python", "manage.py", "openapi", "--check")),
    Gate("tools", ("python", "manage.py", "tools", "--check")),
)


WATCHED = ("tests/launch", "tests/browser")
"""Tests that start whole installations and watch them as people do: nothing else runs beside them but more of their kind."""
_CORES = min(4, os.cpu_count() or 1)
PARTS = (
    ("-n", str(_CORES + 1), "--dist", "loadscope", *(f"--ignore={folder}" for folder in WATCHED)),
    ("-n", str(_CORES), "--dist", "loadfile", *WATCHED),
)
"""What pytest is given when everything is tested, one after the other: first what many processes share, then the rest."""


def run_gates(
    pytest_arguments: Sequence[str],
    *,
    gates: Sequence[Gate] = GATES,
    pytest_command: Sequence[str] = ("python", "-m", "pytest"),
) -> int:
    """Run the gates and pytest, or pytest alone when arguments for it are given; 0 when all passed."""
    failed = [] if pytest_arguments else _failing(gates)
    command = [_program(pytest_command[0]), *pytest_command[1:]]
    status = 0
    for part in [pytest_arguments] if pytest_arguments else PARTS:
        done = subprocess.run([*command, *part], cwd=ROOT, env=_environment(), check=False)
        status = status or done.returncode
    if failed:
        print(f"spacebot test: failed: {', '.join(failed)}{' and pytest' if status else ''}", flush=True)
    return status or (1 if failed else 0)


def _failing(gates: Sequence[Gate]) -> list[str]:
    with _throwaway_home() as environment:
        return [gate.name for gate in gates if not _passes(gate, environment)]


def _passes(gate: Gate, environment: dict[str, str]) -> bool:
    started = time.monotonic()
    command = [_program(gate.command[0]), *gate.command[1:]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    took = f"{time.monotonic() - started:.1f} s"
    if done.returncode:
        print((done.stdout + done.stderr).rstrip())
    print(f"{gate.name:<11} {'FAILED' if done.returncode else 'passed'} ({took})", flush=True)
    return done.returncode == 0


@contextmanager
def _throwaway_home() -> Iterator[dict[str, str]]:
    """Yield an environment with servers of its own, so that a check never touches real data."""
    with tempfile.TemporaryDirectory(prefix="spacebot-check-") as folder:
        home = Path(folder)
        found = embedded.start(home)
        try:
            yield {
                **_environment(),
                "SPACEBOT_HOME": folder,
                "DATABASE_URL": found.database_url,
                "REDIS_URL": found.redis_url,
            }
        finally:
            embedded.stop(home)


def _program(name: str) -> str:
    return str(VENV / "bin" / name)


def _environment() -> dict[str, str]:
    """Return our environment without what points at a real installation: tests make their own."""
    return {name: value for name, value in os.environ.items() if name not in NOT_FOR_TESTS}
