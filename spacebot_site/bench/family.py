"""What an installation costs the machine: processor time and memory of all processes of a home. Needs /proc."""

from __future__ import annotations

import os
from pathlib import Path

from spacebot_site.launch import embedded
from spacebot_site.launch.os_processes import command_of, list_marked, memory_kb
from spacebot_site.launch.state import find_running

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def pids_by_name(home: Path) -> dict[str, list[int]]:
    """Return the processes of a home under the names of the process table, with all their descendants."""
    state = find_running(home)
    roots: dict[str, int] = {}
    if state:
        roots["supervisor"] = state.pid
        roots |= {name: child.pid for name, child in state.children.items() if child.pid}
    roots |= {name: found.pid for name, found in embedded.identities(home).items() if found}
    children = _children()
    found = {
        name: [pid] if name == "supervisor" else _with_descendants(pid, children)
        for name, pid in roots.items()
    }
    known = {pid for pids in found.values() for pid in pids}
    if stray := [one.pid for one in list_marked(home) if one.pid not in known and command_of(one.pid)]:
        found["other"] = stray
    return found


def cpu_ms(home: Path) -> dict[str, float]:
    """Return the processor time (user and system) used so far, by process; ended children count with their parent."""
    return {
        name: sum(_cpu_ms(pid, ended=pid == pids[0]) for pid in pids)
        for name, pids in pids_by_name(home).items()
    }


def memory_mb(home: Path) -> dict[str, float]:
    """Return the proportional memory (PSS), by process."""
    return {
        name: sum(memory_kb(pid) or 0 for pid in pids) / 1024 for name, pids in pids_by_name(home).items()
    }


def spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return the difference, by process."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def _cpu_ms(pid: int, *, ended: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11 : 15 if ended else 13]) * TICK_MS


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            found.setdefault(parent, []).append(int(entry.name))
    return found


def _with_descendants(pid: int, children: dict[int, list[int]]) -> list[int]:
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found
