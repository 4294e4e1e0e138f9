"""Replacing a file as a whole: readers see the old one or the new one, also after a crash."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress

from agents.errors import ToolRetry

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def replace(handle: int, name: str, content: Iterable[bytes]) -> None:
    """Write beside the file, make it durable and rename it over; a link that stood there is replaced, not followed."""
    mode = _mode_of(handle, name)
    beside = f".{secrets.token_hex(8)}.new"
    descriptor = os.open(beside, FLAGS, 0o600, dir_fd=handle)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in content:
                file.write(piece)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(beside, name, src_dir_fd=handle, dst_dir_fd=handle)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside, dir_fd=handle)
        raise
    os.fsync(handle)


def _mode_of(handle: int, name: str) -> int:
    """Return the rights the new file gets: those of a plain file before it, so that a script stays one."""
    try:
        status = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return 0o600
    if stat.S_ISDIR(status.st_mode):
        raise ToolRetry(f"{name!r} is a folder.")
    return 0o600 | (status.st_mode & 0o111 if stat.S_ISREG(status.st_mode) else 0)
