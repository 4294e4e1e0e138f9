"""The processes below one of ours: who they are, how much they use, and ending them."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIGKILL, SIGTERM = 9, 15
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(root: int) -> list[int]:
    """Return every living process below `root`, nearest first."""
    below: dict[int, list[int]] = {}
    for pid, parent in _parents():
        below.setdefault(parent, []).append(pid)
    found, look_at = [], [root]
    while look_at:
        for pid in below.get(look_at.pop(0), ()):
            found.append(pid)
            look_at.append(pid)
    return found


def send(pid: int, signal: int) -> None:
    try:
        os.kill(pid, signal)
    except (ProcessLookupError, PermissionError):
        return  # It ended by itself meanwhile, or has become somebody else's.


def send_to_group(group: int, signal: int) -> None:
    """Signal a process group at once: nothing can be forked past it."""
    try:
        os.killpg(group, signal)
    except (ProcessLookupError, PermissionError):
        return


def groups_of(pids: list[int]) -> set[int]:
    """Return the process groups of some processes, without our own."""
    found = set()
    for pid in pids:
        try:
            found.add(os.getpgid(pid))
        except ProcessLookupError:
            continue
    return found - {os.getpgrp()}


def _parents() -> list[tuple[int, int]]:
    if sys.platform != "linux":
        return _parents_by_ps()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(name)) and fields[0] != b"Z":
            found.append((int(name), int(fields[1])))
    return found


def _stat(name: str) -> list[bytes]:
    """Return the fields of a process's `stat` after its name: state, parent, …"""
    try:
        descriptor = os.open(f"/proc/{name}/stat", os.O_RDONLY)
    except OSError:
        return []
    try:
        return os.read(descriptor, 1024).rpartition(b")")[2].split()
    except OSError:
        return []
    finally:
        os.close(descriptor)


def _parents_by_ps() -> list[tuple[int, int]]:
    from subprocess import run

    lines = run(
        ["/bin/ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    return [(int(pid), int(parent)) for pid, parent in (line.split() for line in lines)]


class Watch:
    """Looks at the whole tree now and then: what no limit of a single process can bound."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self.processes: int = limits["processes"]
        self.memory_pages: int = limits["total_memory_bytes"] // PAGE_BYTES
        self.disk_bytes: int = limits["disk_bytes"]
        self.folders = [(folder, _used(folder)) for folder in limits["folders"]]

    def broken(self, root: int, *, ended: int) -> str:
        """Name the limit that the tree has broken, or return nothing.

        `ended` have been since the last look: a bomb whose processes live shorter than a look takes is seen by its dead.
        """
        pids = descendants(root)
        if len(pids) + ended > self.processes:
            return "processes"
        if sum(_resident_pages(pid) for pid in pids) > self.memory_pages:
            return "memory"
        if any(_used(folder) - before > self.disk_bytes for folder, before in self.folders):
            return "disk"
        return ""


def _resident_pages(pid: int) -> int:
    fields = _stat(str(pid)) if sys.platform == "linux" else []
    return int(fields[21]) if len(fields) > 21 else 0


def _used(folder: str) -> int:
    """Return how much of the folder's file system is used: dear folders cannot be walked ten times a second."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize
