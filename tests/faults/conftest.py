"""Processes that die where they are told to, on the suite's own database and Valkey."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from agents.models import Run, RunState
from spacebot_site.launch.home import ROOT
from tests.agents.conftest import Engine, engine  # noqa: F401  a fixture

WITHIN_S = 180


class Victim:
    """Does one thing after the other, each in a process of its own; returns its exit code, 0 or that of a kill."""

    def __init__(self, home: Path) -> None:
        self.faults = home / "faults"
        self.faults.mkdir()
        self._log = home / "victims.log"
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        environment = {
            **os.environ,
            "DATABASE_URL": database.geturl(),
            "REDIS_URL": django_settings.REDIS_URL,
            "SPACEBOT_HOME": str(home),
            "SPACEBOT_FAULT_AT": str(self.faults),
            "SPACEBOT_EMBEDDER": "hashing",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victim"],
                cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def __call__(self, process: str, *arguments: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps([process, *arguments])}\n")
        self._process.stdin.flush()
        answered = select.select([self._process.stdout], [], [], WITHIN_S)[0]
        code = int(self._process.stdout.readline() or 1) if answered else 1
        assert code in (0, -signal.SIGKILL), self._log.read_text()[-2000:]
        return code

    def arm(self, process: str, boundary: str) -> None:
        """Let the next process of that name die there."""
        (self.faults / f"{process}.{boundary}").touch()

    def die_at(self, boundary: str, doing: str = "work") -> None:
        """Let a worker die there, then let another go on until nothing is left."""
        self.arm("worker", boundary)
        assert self("worker", doing) == -signal.SIGKILL, f"nothing died at {boundary}"
        assert self("worker", doing) == 0
        assert not Run.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).exists()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def victim(engine: Engine, tmp_path: Path, settings: Any) -> Iterator[Victim]:  # noqa: F811
    settings.SPACEBOT_EMBEDDER = "hashing"
    made = Victim(tmp_path)
    yield made
    made.stop()
