"""Keepers as processes: one is started ahead, for starting Python is more than half of starting a command.

It is nobody's until it is told an order: no environment, no file of ours, no input or output, only the socket that the
order will come over, with the command's own input and output. It ends with us, and by itself when nobody wants it for
a minute; it is not used when it could be about to. Of one that ended by itself an empty entry in the table of processes stays
until the next command.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; sys.path.append(sys.argv[1]); from agents.sandbox.inside.keeper import main; main(*map(int, sys.argv[2:]))"
IDLE_S = 60
USED_WITHIN_S = 30.0
END_WITHIN_S = 20.0


@dataclass(frozen=True)
class Keeper:
    """A keeper that has not been told anything yet. `owner` is the process that started it: a fork of ours has none."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    owner: int = field(default_factory=os.getpid)
    started_at: float = field(default_factory=time.monotonic)

    @property
    def is_ready(self) -> bool:
        return (
            self.owner == os.getpid()
            and time.monotonic() - self.started_at < USED_WITHIN_S
            and self.process.poll() is None
        )

    def discard(self) -> None:
        """Let it end, which it does when the socket closes."""
        self.control.close()
        if self.owner == os.getpid():
            end(self.process)


_lock = threading.Lock()
_spare: list[Keeper] = []


def take() -> Keeper:
    """Return the keeper that is ready, or one that is just being started."""
    with _lock:
        found = _spare.pop() if _spare else None
    if found is not None and found.is_ready:
        return found
    if found is not None:
        found.discard()
    return _start()


def prepare() -> None:
    """Start the next one, unless one is ready. What cannot be started now is started when it is wanted."""
    with _lock:
        if _spare:
            return
        try:
            _spare.append(_start())
        except (OSError, RuntimeError):
            return


def discard_spare() -> None:
    """End the one that is ready."""
    with _lock:
        found, _spare[:] = _spare[:], []
    for keeper in found:
        keeper.discard()


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a keeper whose socket is closed."""
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _start() -> Keeper:
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START, str(ROOT), str(theirs.fileno()), str(IDLE_S)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={}, cwd="/", start_new_session=True, pass_fds=(theirs.fileno(),),
        )  # fmt: skip
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return Keeper(process, ours)


atexit.register(discard_spare)
