"""Landlock: the same paths once more, held by another part of the kernel, and no signal or abstract socket outwards."""

from __future__ import annotations

import os
import struct

from agents.sandbox.inside import syscalls as sys_

LIST = 8
READ = 1 | 4 | LIST
"""Execute, read a file, list a folder."""
WRITE_TO_FILE = 2 | 1 << 14 | 1 << 15
"""Write, truncate, device ioctl."""
FILE_RIGHTS = 1 | 2 | 4 | 1 << 14 | 1 << 15
EVERYTHING = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
NEWEST = (1 << 16) - 1
SCOPES = 3


def restrict(readable: list[str], writable: list[str]) -> None:
    """Restrict this process for good, as far as this kernel knows how. A kernel without it changes nothing."""
    version = sys_.landlock_version()
    if version < 1:
        return
    handled = EVERYTHING.get(version, NEWEST)
    scopes = struct.pack("Q", SCOPES) if version >= 6 else b""
    ruleset = sys_.landlock_create(
        struct.pack("QQ", handled, 0) + scopes if version >= 4 else struct.pack("Q", handled)
    )
    _allow(ruleset, "/", handled & LIST)
    for path in (
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/nix/store",
        "/etc",
        "/proc",
        "/dev",
        *readable,
    ):
        _allow(ruleset, path, handled & READ)
    for path in ("/tmp", "/dev/shm", *writable):  # noqa: S108
        _allow(ruleset, path, handled)
    for path in ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/random", "/dev/urandom", "/proc"):
        _allow(ruleset, path, handled & (READ | WRITE_TO_FILE))
    sys_.landlock_enforce(ruleset)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= FILE_RIGHTS
    sys_.landlock_allow(ruleset, struct.pack("=Qi", rights, descriptor))
    os.close(descriptor)
