"""`./spacebot doctor`: look at everything a healthy installation needs, and say how to mend what is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spacebot_site.launch import embedded, environment_setup, machine
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import ROOT
from spacebot_site.launch.home import prepare as prepare_home
from spacebot_site.launch.processes import count_workers
from spacebot_site.launch.start import check_port_is_free, child_environment, read_port
from spacebot_site.launch.state import find_running

NEEDED_DISK_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    name: str
    good: bool
    text: str


def examine(home: Path) -> int:
    """Print one line for each check; 0 when all are good."""
    findings = list(_find(home))
    for finding in findings:
        print(f"{'ok  ' if finding.good else 'BAD '} {finding.name:<12} {finding.text}")
    return 0 if all(finding.good for finding in findings) else 1


def _find(home: Path) -> Iterator[Finding]:
    for name, check in _CHECKS.items():
        try:
            yield Finding(name, True, check(home))
        except LaunchError as error:
            yield Finding(name, False, str(error))
    if environment_setup.python_is_ready() and (home / "config").is_dir():
        yield from _inside(home)


def _python(home: Path) -> str:
    return f"{sys.version.split()[0]} at {sys.executable}"


def _environment(home: Path) -> str:
    if not environment_setup.python_is_ready():
        raise LaunchError("the Python environment is missing or out of date", "./spacebot setup")
    return str(environment_setup.VENV)


def _node_packages(home: Path) -> str:
    if not environment_setup.node_packages_are_ready():
        raise LaunchError("the front-end packages are missing or out of date", "./spacebot setup")
    return str(environment_setup.NODE_MODULES)


def _home(home: Path) -> str:
    prepare_home(home)
    return str(home)


def _disk(home: Path) -> str:
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < NEEDED_DISK_BYTES:
        raise LaunchError(f"only {free / 1e6:.0f} MB are free at {folder}", "make room: 1 GB is wanted")
    return f"{free / 1e9:.0f} GB free"


def _port(home: Path) -> str:
    running = find_running(home)
    if running:
        return f"{running.port}, ours"
    port = read_port()
    check_port_is_free(port)
    return f"{port} is free"


def _workers(home: Path) -> str:
    return f"{count_workers()} for {machine.cores()} cores and {machine.memory_gb():.0f} GB"


def _processes(home: Path) -> str:
    running = find_running(home)
    if running is None:
        raise LaunchError("Spacebot is not running", "./spacebot")
    unwell = [
        f"{child.name} ({child.reason or child.state})"
        for child in running.children.values()
        if child.state != "healthy"
    ]
    if unwell:
        raise LaunchError(f"not healthy: {', '.join(unwell)}", f"see {home / 'logs'}")
    return f"{len(running.children)} healthy"


def _servers(home: Path) -> str:
    found = embedded.identities(home)
    for name, variable in (("postgres", "DATABASE_URL"), ("valkey", "REDIS_URL")):
        if not found[name] and not os.environ.get(variable, "").strip():
            raise LaunchError(f"{name} is not running", f"./spacebot starts it, or set {variable}")
    return ", ".join(f"{name} {'embedded' if identity else 'elsewhere'}" for name, identity in found.items())


def _inside(home: Path) -> Iterator[Finding]:
    """Ask Django for what only it knows: database, migrations, master key, providers."""
    running = find_running(home)
    environment = child_environment(home, running.port if running else read_port())
    done = subprocess.run(
        [str(environment_setup.PYTHON), "manage.py", "examine"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        yield Finding("django", False, lines[-1][:300] if lines else f"exit code {done.returncode}")
        return
    for name, good, text in json.loads(done.stdout.splitlines()[-1]):
        yield Finding(name, good, text)


_CHECKS: dict[str, Callable[[Path], str]] = {
    "python": _python,
    "environment": _environment,
    "pages": _node_packages,
    "home": _home,
    "disk": _disk,
    "port": _port,
    "workers": _workers,
    "processes": _processes,
    "servers": _servers,
}
