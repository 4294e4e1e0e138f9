"""A real process, killed with SIGKILL at every boundary of ingestion: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from memory.ingestion.boundaries import TAKING, WORKING
from memory.models import FileState, IngestedChunk, IngestedFile, Memory
from spacebot_site.launch.home import ROOT
from tests.memory.ingestion.conftest import Desk, lines_of

pytestmark = pytest.mark.slow

FACTS = [f"Fact {number} is about the town number {number * 37}." for number in range(3)]
TEXT = "\n\n".join(fact + "\n" + "  " * 1_900 for fact in FACTS)

Victim = Callable[[str], int]


@pytest.fixture
def requests_file(tmp_path: Path) -> Path:
    return tmp_path / "requests"


@pytest.fixture
def victim(desk: Desk, tmp_path: Path, requests_file: Path) -> Victim:
    """Return a function that runs the victim until it dies at a boundary, and returns its exit code."""
    faults = tmp_path / "faults"
    faults.mkdir()
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DATABASE_URL": database.geturl(),
        "REDIS_URL": django_settings.REDIS_URL,
        "SPACEBOT_HOME": str(tmp_path),
        "SPACEBOT_FAULT_AT": str(faults),
        "SPACEBOT_PROCESS": "worker",
        "SPACEBOT_EMBEDDER": "hashing",
    }

    def run(boundary: str) -> int:
        (faults / f"worker.{boundary}").touch()
        connection.close()
        done = subprocess.run(
            [sys.executable, "-m", "tests.memory.ingestion.victim", str(requests_file)],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
        assert done.returncode in (0, -signal.SIGKILL), done.stderr[-2000:]
        desk.pass_time()
        return done.returncode

    return run


@pytest.mark.parametrize("boundary", [*TAKING, *WORKING])
def test_nothing_is_lost_or_doubled_whichever_boundary_it_dies_at(
    desk: Desk, victim: Victim, requests_file: Path, boundary: str
) -> None:
    model = desk.use_model()
    desk.drop("a.txt", TEXT)
    assert victim(boundary) == -signal.SIGKILL, f"nothing died at {boundary}"
    desk.settle()
    file = IngestedFile.objects.get()
    assert (file.state, file.chunks_done, file.memories) == (FileState.DONE, file.chunks_total, len(FACTS))
    assert file.chunks_total == IngestedChunk.objects.count() == len(FACTS)
    assert Counter(desk.memories()) == Counter(FACTS)
    assert not list((desk.home / "ingest").glob("acme.*/*"))
    before = requests_file.read_text().splitlines() if requests_file.exists() else []
    asked = Counter(before + [lines_of(request)[0] for request in model.requests])
    # Only an answer that was never stored is asked for again.
    assert max(asked.values()) == (2 if boundary == "ingest.asked" else 1)


def test_a_file_that_kills_its_worker_is_given_up_after_three_times(desk: Desk, victim: Victim) -> None:
    desk.use_model()
    desk.drop("a.txt", TEXT)
    for _ in range(3):
        assert victim("ingest.read") == -signal.SIGKILL
    desk.settle()
    file = IngestedFile.objects.get()
    assert (file.state, file.tries) == (FileState.FAILED, 3)
    assert "broken off 3 times" in file.reason
    assert not Memory.objects.exists()
