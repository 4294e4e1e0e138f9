"""Control groups, where the kernel lets us make some: limits on a whole tree that nothing in it can outrun.

Where it does not (most of the time when we are not root), the keeper's own watch is what there is.
"""

from __future__ import annotations

import os
import time

ROOT = "/sys/fs/cgroup"


def make(processes: int, memory_bytes: int) -> list[str]:
    """Make a group in each hierarchy that bounds something; return their folders, none where that may not be."""
    name = f"spacebot-{os.getpid()}"
    bounds = (("pids", "pids.max", processes), ("memory", "memory.limit_in_bytes", memory_bytes))
    if os.path.exists(f"{ROOT}/cgroup.controllers"):
        bounds = (("", "pids.max", processes), ("", "memory.max", memory_bytes))
    made: list[str] = []
    for hierarchy, file, bound in bounds:
        folder = os.path.join(ROOT, hierarchy, name)
        try:
            if folder not in made:
                os.mkdir(folder)
                made.append(folder)
            _write(f"{folder}/{file}", bound)
        except OSError:
            continue
    return made


def join(folders: list[str]) -> None:
    """Put this process into the groups."""
    for folder in folders:
        _write(f"{folder}/cgroup.procs", os.getpid())


def members(folders: list[str]) -> list[int]:
    """Return every process in the first of the groups."""
    if not folders:
        return []
    try:
        descriptor = os.open(f"{folders[0]}/cgroup.procs", os.O_RDONLY)
    except OSError:
        return []
    data = b""
    while piece := os.read(descriptor, 65_536):
        data += piece
    os.close(descriptor)
    return [int(line) for line in data.split() if line != b"0"]


def refused(folders: list[str]) -> str:
    """Name the limit at which the kernel has refused something, or return nothing."""
    for folder in folders:
        if _count(f"{folder}/pids.events", b"max"):
            return "processes"
        if _count(f"{folder}/memory.events", b"oom_kill") or _count(
            f"{folder}/memory.oom_control", b"oom_kill"
        ):
            return "memory"
    return ""


def remove(folders: list[str]) -> None:
    """Remove the groups; what has been killed may take a moment to be gone from them."""
    for folder in folders:
        for _ in range(40):
            try:
                os.rmdir(folder)
                break
            except OSError:
                time.sleep(0.005)


def _write(path: str, value: int) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, b"%d" % value)
    finally:
        os.close(descriptor)


def _count(path: str, name: bytes) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return 0
    lines = os.read(descriptor, 4096).splitlines()
    os.close(descriptor)
    for line in lines:
        words = line.split()
        if len(words) == 2 and words[0] == name:
            return int(words[1])
    return 0
