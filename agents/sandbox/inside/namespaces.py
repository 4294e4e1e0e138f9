"""Walls of our own making: namespaces, a minimal root, no capabilities, Landlock, and a list of forbidden system calls.

The forked child enters the namespaces and waits; the first process in them builds the root and waits in turn for the command,
which is its child. When it ends, the kernel ends everything else in there. All imports stand here: behind the walls, nothing of
the interpreter is in reach.
"""

from __future__ import annotations

import fcntl
import os
import struct
from _socket import socket

from agents.sandbox.inside import syscalls as sys_
from agents.sandbox.inside.landlock import restrict
from agents.sandbox.inside.root import build_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEW = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000 | 0x02000000
NEW_USER = 0x10000000


def enter_namespaces(order: dict[str, Any], writer: int) -> None:
    """Return only in the process that becomes the command; the others wait for it and end as it ended."""
    user, group = os.getuid(), os.getgid()
    sys_.unshare(NEW_USER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{order['namespaces']['id']} {user} 1")
    _write("/proc/self/gid_map", f"{order['namespaces']['id']} {group} 1")
    sys_.unshare(NEW)
    sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)  # The keeper may be killed too.
    first = os.fork()
    if first:
        _follow(first, writer)
    sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)
    build_root(order["namespaces"])
    _loopback_up()
    command = os.fork()
    if command:
        _follow(command, writer)
    sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)
    os.setsid()


def drop_rights(order: dict[str, Any]) -> None:
    """Give up what only building needed; the last thing before the command."""
    sys_.drop_capabilities()
    sys_.prctl(sys_.PR_SET_NO_NEW_PRIVS, 1)
    restrict(order["namespaces"]["readable"], order["namespaces"]["writable"])
    sys_.filter_calls(order["seccomp"])


def _follow(child: int, writer: int) -> None:
    """Wait for every child, and end with the status of one."""
    os.close(writer)
    os.closerange(0, 128)
    status = 0
    while True:
        pid, found = os.waitpid(-1, 0)
        if pid == child:
            status = found
            break
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _loopback_up() -> None:
    """Bring the new network's own loopback up: programs talk to themselves over it."""
    found = socket(2, 2)
    try:
        fcntl.ioctl(found.fileno(), 0x8914, struct.pack("16sH14s", b"lo", 1, b""))
    finally:
        found.close()


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
