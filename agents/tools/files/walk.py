"""Going through a workspace by handles, with a bound on time and on how much is looked at."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from agents.errors import RunStopped
from agents.tools.base import ToolContext
from agents.tools.workspace import FLAGS

DEEPEST = 32


@dataclass(frozen=True)
class Entry:
    """One name found below a folder. `handle` is the open folder it stands in; it is valid while it is the newest entry."""

    path: PurePosixPath
    status: os.stat_result
    handle: int

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)


class Allowance:
    """How long a tool may look around and at how many names; cancelling the run ends it as well."""

    def __init__(self, context: ToolContext | None, *, most_s: float, most_entries: int) -> None:
        self.cancel = context.cancel if context else None
        self.until = time.monotonic() + most_s
        self.left = most_entries
        self.is_spent = False

    @property
    def left_s(self) -> float:
        return max(0.0, self.until - time.monotonic())

    def goes_on(self, entries: int = 0) -> bool:
        """Take some of it; False from the moment it is used up. Raises RunStopped."""
        if self.cancel is not None and self.cancel.is_cancelled:
            raise RunStopped(self.cancel.reason)
        self.left -= entries
        self.is_spent = self.is_spent or self.left < 0 or self.left_s <= 0
        return not self.is_spent


def walk(
    handle: int, allowance: Allowance, *, deepest: int = DEEPEST, skipped: frozenset[str] = frozenset()
) -> Iterator[Entry]:
    """Yield what lies below an open folder, names in order, each folder before what is in it.

    No link is followed. `skipped` are names of folders that are told but not entered. What vanishes meanwhile is left out.
    """
    yield from _walk(handle, PurePosixPath(), allowance, deepest, skipped)


def _walk(
    handle: int, above: PurePosixPath, allowance: Allowance, deepest: int, skipped: frozenset[str]
) -> Iterator[Entry]:
    for name in _names(handle, allowance):
        if not allowance.goes_on(1):
            return
        try:
            status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        except OSError:
            continue
        entry = Entry(above / name, status, handle)
        yield entry
        if not entry.is_folder or deepest <= 0 or name in skipped:
            continue
        try:
            below = os.open(name, FLAGS, dir_fd=handle)
        except OSError:
            continue
        try:
            yield from _walk(below, entry.path, allowance, deepest - 1, skipped)
        finally:
            os.close(below)


def _names(handle: int, allowance: Allowance) -> list[str]:
    """Return the names in a folder in order, no more than may be looked at."""
    found: list[str] = []
    with os.scandir(handle) as entries:
        for entry in entries:
            if len(found) > allowance.left:
                break
            found.append(entry.name)
    return sorted(found)
