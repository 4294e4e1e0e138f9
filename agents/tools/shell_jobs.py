"""Commands that run on while the worker does something else. They end with the run's execution, whatever comes first.

They are known to the process that executes the run and to no other: a run that lies down to wait for a person, or that another
process takes over, finds them gone and is told so.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from django.db import Error

from accounts.database import release_connection
from accounts.logs import get_logger
from agents.sandbox.child import GRACE_S, Child
from agents.sandbox.streams import Kept
from agents.tools.shell_live import LiveOutput
from llm.types import CancelToken

log = get_logger(__name__)

MOST = 5
KEPT_BYTES = 44_000
PIECE_BYTES = 65_536
LOOK_S = 0.5


@dataclass
class Job:
    """One command that runs on. Its reader is a thread; `new` takes what was said since it was last asked.

    `way_out` is closed when it has ended, with what that records; nothing of it may be open longer.
    """

    name: str
    command: str
    child: Child
    output_bytes: int
    way_out: ExitStack
    limit: str = ""
    _new: Kept = field(default_factory=lambda: Kept(KEPT_BYTES))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: threading.Lock = field(default_factory=threading.Lock)

    def see_through(self, live: LiveOutput) -> None:
        """Follow it, also beyond its last word, and close its way out."""
        self.follow(live)
        while not self.child.wait(LOOK_S):
            pass
        self.close_way_out()
        release_connection()

    def close_way_out(self) -> None:
        """Close it, once; whoever comes second waits until that is done."""
        with self._closing:
            try:
                self.way_out.close()
            except Error:
                log.exception("shell.refusals_not_recorded", job=self.name)

    def stop(self, *, grace_s: float = GRACE_S) -> None:
        self.child.stop(grace_s=grace_s)
        self.close_way_out()

    def follow(self, live: LiveOutput) -> None:
        """Read until it says no more; say more than is allowed, and it is ended."""
        assert self.child.stdout is not None
        source, seen = self.child.stdout.fileno(), 0
        with suppress(OSError, ValueError), live:
            while True:
                select.select([source], [], [])
                piece = os.read(source, PIECE_BYTES)
                if not piece:
                    return
                seen += len(piece)
                with self._lock:
                    self._new.add(piece)
                live.add(piece)
                if seen > self.output_bytes:
                    self.limit = "output"
                    self.child.kill()
                    return

    def new(self) -> bytes:
        with self._lock:
            found, self._new = self._new.value(), Kept(KEPT_BYTES)
        return found


@dataclass
class Jobs:
    """Those of one run."""

    jobs: dict[str, Job] = field(default_factory=dict)
    started: int = 0


_lock = threading.Lock()
_runs: dict[int, Jobs] = {}


def begin(
    run_id: int,
    command: str,
    child: Child,
    output_bytes: int,
    live: LiveOutput,
    cancel: CancelToken,
    way_out: ExitStack,
) -> Job:
    """Take a started command in."""
    with _lock:
        jobs = _runs.setdefault(run_id, Jobs())
        jobs.started += 1
        job = Job(f"job{jobs.started}", command, child, output_bytes, way_out)
        jobs.jobs[job.name] = job
    cancel.on_cancel(child.kill)
    name = f"shell-{run_id}-{job.name}"
    threading.Thread(target=job.see_through, args=(live,), name=name, daemon=True).start()
    return job


def find(run_id: int, name: str) -> Job | None:
    with _lock:
        return _runs[run_id].jobs.get(name) if run_id in _runs else None


def running(run_id: int) -> list[Job]:
    with _lock:
        found = list(_runs[run_id].jobs.values()) if run_id in _runs else []
    return [job for job in found if not job.child.poll()]


def end_all(run_id: int) -> None:
    """End every command of a run; called when its execution ends, however it does."""
    with _lock:
        jobs = _runs.pop(run_id, None)
    for job in jobs.jobs.values() if jobs else ():
        job.stop(grace_s=0.2)
