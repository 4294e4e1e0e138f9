"""How much of the machine is ours: what the operating system, or the container we run in, lets us use."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Return on how many cores we may run; a container's share of less than one counts as one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read("cpu.max").partition(" ")
    return (
        max(1, min(allowed, int(quota) // int(period))) if quota.isdigit() and period.isdigit() else allowed
    )


def memory_gb() -> float:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read("memory.max")
    return (min(whole, int(limit)) if limit.isdigit() else whole) / 1e9


def _read(name: str) -> str:
    try:
        return (CGROUP / name).read_text().strip()
    except OSError:
        return ""
