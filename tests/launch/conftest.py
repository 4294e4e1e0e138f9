"""A whole installation of its own: a home and a port that nobody else uses, driven by `./spacebot` itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from spacebot_site.launch import embedded
from spacebot_site.launch.home import ROOT
from spacebot_site.launch.os_processes import list_marked

NOT_OURS = ("DATABASE_URL", "REDIS_URL", "SPACEBOT_PUBLIC_URL", "SPACEBOT_TEST_SERVERS")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Installation:
    """One home under `./spacebot`."""

    home: Path
    port: int = field(default_factory=free_port)

    def run(self, *arguments: str, timeout_s: float = 300, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        environment |= {
            "SPACEBOT_HOME": str(self.home),
            "SPACEBOT_PORT": str(self.port),
            "SPACEBOT_WORKERS": "2",
            **more,
        }
        return subprocess.run(
            [str(ROOT / ".venv" / "bin" / "python"), str(ROOT / "spacebot"), *arguments],
            env=environment, capture_output=True, text=True, timeout=timeout_s, check=False, cwd="/",
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return found

    def process(self, name: str) -> dict[str, Any]:
        return next(process for process in self.status()["processes"] if process["name"] == name)

    def leftovers(self) -> list[int]:
        """Return every process of this home that still runs."""
        servers = [identity.pid for identity in embedded.identities(self.home).values() if identity]
        return servers + [identity.pid for identity in list_marked(self.home)]


def make_home() -> Path:
    """Make an empty home where PostgreSQL's user may enter, which pytest's own temporary folders refuse."""
    home = Path(tempfile.mkdtemp(prefix="spacebot-home-"))
    home.chmod(0o755)
    return home


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home; whatever runs in it at the end is stopped."""
    made = make_home()
    yield made
    embedded.stop(made)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """An installation that has been started once."""
    installation = Installation(make_home())
    try:
        done = installation.run("start")
        assert done.returncode == 0, done.stderr
        yield installation
    finally:
        installation.run("stop")
        shutil.rmtree(installation.home)
