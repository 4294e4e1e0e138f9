"""Processes of the operating system: who they are beyond their number, whose they are, how they end.

A number alone can come back as somebody else's process, so each is known by number and start time. What the
supervisor starts carries a mark in its environment; nothing without that mark is ever signalled.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "SPACEBOT_PROCESS_OF"
PROC = Path("/proc")
HAS_PROC = (PROC / "self" / "stat").exists()


@dataclass(frozen=True)
class Identity:
    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """Return the identity of a running process, None when it has ended or is a zombie."""
    if HAS_PROC:
        try:
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else Identity(pid, fields[19])
    found = _ps("-o", "stat=,lstart=", "-p", str(pid)).strip()
    state, _, started = found.partition(" ")
    return Identity(pid, started.strip()) if state and not state.startswith("Z") else None


def is_alive(identity: Identity) -> bool:
    return identify(identity.pid) == identity


def command_of(pid: int) -> str:
    """Return the command line of a process, empty when it cannot be seen."""
    if HAS_PROC:
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    return _ps("-o", "command=", "-p", str(pid))


def list_marked(home: Path) -> list[Identity]:
    """Return every running process that was started for this home, ourselves left out."""
    mark = f"{MARK}={home}"
    if HAS_PROC:
        pids = [
            int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and _has_mark(entry, mark)
        ]
    else:
        lines = _ps("eww", "-axo", "pid=,command=").splitlines()
        pids = [int(line.split()[0]) for line in lines if f"{mark} " in f"{line} "]
    found = [identify(pid) for pid in pids if pid != os.getpid()]
    return [identity for identity in found if identity]


def end(identities: Iterable[Identity], *, timeout_s: float, number: int = signal.SIGTERM) -> None:
    """Ask every process to end, wait, and kill what is still there after the time."""
    waiting = list(identities)
    for identity in waiting:
        send(identity, number)
    deadline = time.monotonic() + timeout_s
    while waiting := [identity for identity in waiting if is_alive(identity)]:
        if time.monotonic() > deadline:
            for identity in waiting:
                send(identity, signal.SIGKILL)
        time.sleep(0.02)


def send(identity: Identity, number: int) -> None:
    """Signal a process if it is still the same one."""
    if is_alive(identity):
        try:
            os.kill(identity.pid, number)
        except ProcessLookupError:
            return


def memory_kb(pid: int) -> int | None:
    """Return the proportional memory of a process (PSS), None where the system does not tell."""
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return None
    return None


def _has_mark(entry: Path, mark: str) -> bool:
    try:
        return mark.encode() in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _ps(*arguments: str) -> str:
    done = subprocess.run(["ps", *arguments], capture_output=True, text=True, timeout=10, check=False)
    return done.stdout
