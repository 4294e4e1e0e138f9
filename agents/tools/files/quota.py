"""How much one workspace may hold: bytes and names, counted through handles and remembered for a moment."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

from django.conf import settings

from agents.errors import ToolFailed
from agents.tools.files.walk import Allowance, walk
from agents.tools.workspace import open_folder

KEEP_S = 15.0
"""How long a count is taken as true; what this process wrote since is added."""
MOST_NAMES = 200_000
COUNT_S = 20.0
MOST_KEPT = 500

_kept: dict[Path, tuple[float, int]] = {}
_lock = threading.Lock()


def check_room(workspace: Path, added_bytes: int) -> None:
    """Raise ToolFailed where the workspace would hold more than it may."""
    most = settings.SPACEBOT_WORKSPACE_MB * 1_000_000
    used = used_bytes(workspace)
    if used + added_bytes > most:
        raise ToolFailed(
            f"the workspace may hold {most:,} bytes and holds {used:,}; delete what is not needed first"
        )
    with _lock:
        kept = _kept.get(workspace)
        if kept is not None:
            _kept[workspace] = (kept[0], kept[1] + max(0, added_bytes))


def used_bytes(workspace: Path) -> int:
    """Return what the workspace holds now, or held a moment ago. Raises ToolFailed for more names than can be counted."""
    with _lock:
        kept = _kept.get(workspace)
    if kept is not None and time.monotonic() - kept[0] < KEEP_S:
        return kept[1]
    used = _count(workspace)
    with _lock:
        if len(_kept) > MOST_KEPT:
            _kept.clear()
        _kept[workspace] = (time.monotonic(), used)
    return used


def forget(workspace: Path) -> None:
    """Count anew at the next write, because something was taken away."""
    with _lock:
        _kept.pop(workspace, None)


def _count(workspace: Path) -> int:
    allowance = Allowance(None, most_s=COUNT_S, most_entries=MOST_NAMES)
    seen: set[tuple[int, int]] = set()
    used = 0
    with open_folder(workspace, ()) as handle:
        for entry in walk(handle, allowance, deepest=10_000):
            used += _size(entry.status, seen)
    if allowance.is_spent:
        raise ToolFailed(
            f"the workspace holds more than {MOST_NAMES:,} files; delete what is not needed first"
        )
    return used


def _size(status: os.stat_result, seen: set[tuple[int, int]]) -> int:
    """Return what a file takes on the disk; one with several names counts once."""
    if not stat.S_ISREG(status.st_mode):
        return 0
    if status.st_nlink > 1:
        place = (status.st_dev, status.st_ino)
        if place in seen:
            return 0
        seen.add(place)
    return status.st_size
