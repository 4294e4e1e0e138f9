"""Programs of our own that look at strangers' files: contained where anything is here, limited and ended with us anywhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from agents.sandbox import probe
from agents.sandbox.command import GB, MB, Access, Command, Limits
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox, python_paths
from agents.sandbox.errors import NotContained
from agents.sandbox.launcher import run
from llm.types import CancelToken


def start_reader(
    program: str,
    arguments: tuple[str, ...],
    *,
    packages: tuple[Path, ...],
    stdin: IO[bytes],
    timeout_s: float,
    most_output_bytes: int,
    cancel: CancelToken | None = None,
) -> bytes:
    """Run a line of Python that sees the interpreter and `packages`; see `memory.ingestion.reading.StartReader`.

    What was cancelled returns what it had said until then.
    """
    command = Command(
        argv=(sys.executable, "-I", "-c", program, *arguments),
        cwd=Path("/"),
        limits=Limits(
            cpu_s=None, memory_bytes=None, total_memory_bytes=GB, processes=16, scratch_bytes=MB,
            output_bytes=most_output_bytes, kept_bytes=most_output_bytes + MB,
        ),
        access=Access(readable=(*python_paths(), *packages)),
    )  # fmt: skip
    done = run(command, _sandbox(), timeout_s=timeout_s, stdin=stdin, cancel=cancel)
    if done.ended == "timeout":
        raise TimeoutError
    if done.limit == "output" or len(done.stdout) > most_output_bytes:
        raise OverflowError
    return done.stdout


def _sandbox() -> Sandbox:
    """Return walls if there are any. The program is ours and takes its own rights away, so it may do without."""
    try:
        return probe.best()
    except NotContained:
        return DRIVERS["none"]
