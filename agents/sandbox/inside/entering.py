"""What the forked child does before it becomes the command."""

from __future__ import annotations

import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

LIMITS = {
    "cpu_s": resource.RLIMIT_CPU,
    "memory_bytes": resource.RLIMIT_AS,
    "open_files": resource.RLIMIT_NOFILE,
    "file_bytes": resource.RLIMIT_FSIZE,
}
FREE_FROM = 64
"""Above every descriptor that has a place of its own in a command."""
SIGNALS = range(1, 65 if sys.platform == "linux" else 32)


def enter(order: dict[str, Any], writer: int) -> NoReturn:
    """Become the command. `writer` closes by itself when that works, or is told why it did not."""
    try:
        writer = _make_room(order, writer)
        os.setsid()
        _default_signals()
        os.umask(0o077)
        _prepare(order, writer)
        _execute(order)
    except BaseException as error:  # Nothing of ours may run on in the child.
        os.write(writer, _words(error, order).encode())
    os._exit(127)


def _make_room(order: dict[str, Any], writer: int) -> int:
    """Move what stands where the command's own descriptors are to stand, and close the copies it is not to have."""
    if not order["handed"]:
        return writer
    from fcntl import F_DUPFD_CLOEXEC, fcntl

    moved = [fcntl(descriptor, F_DUPFD_CLOEXEC, FREE_FROM) for descriptor in (writer, *order["handed"])]
    for descriptor in order["handed"]:
        os.close(descriptor)
    writer, *order["handed"] = moved
    return writer


def _prepare(order: dict[str, Any], writer: int) -> None:
    if not order["namespaces"]:
        os.chdir(order["cwd"])
        lower_limits(order["limits"])
        return
    from agents.sandbox.inside.namespaces import drop_rights, enter_namespaces

    enter_namespaces(order, writer)
    os.chdir(order["cwd"])
    lower_limits(order["limits"])
    drop_rights(order)


def lower_limits(limits: dict[str, int | None]) -> None:
    """Set the limits of this process; one that is already lower stays."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, most in limits.items():
        kind = LIMITS[name]
        _, hard = resource.getrlimit(kind)
        if most is None:
            continue
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            if sys.platform == "linux":
                raise  # macOS knows no limit of address space; everywhere else a missing limit is a fault.


def _execute(order: dict[str, Any]) -> None:
    if order["seccomp"] and order["seccomp_fd"]:
        descriptor = os.memfd_create("seccomp")
        os.write(descriptor, order["seccomp"])
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.dup2(descriptor, order["seccomp_fd"], inheritable=True)
    for place, descriptor in enumerate(order["handed"], 3):
        os.dup2(descriptor, place)
    if "/" in order["file"]:
        os.execve(order["file"], order["argv"], order["environment"])  # noqa: S606 -- this is the launcher
    os.execvpe(order["file"], order["argv"], order["environment"])  # noqa: S606 -- looked for inside the walls


def _default_signals() -> None:
    # The module `signal` imports enum, which is half of a start; it only wraps this one.
    import _signal  # type: ignore[import-not-found,unused-ignore]

    for number in SIGNALS:
        try:
            _signal.signal(number, _signal.SIG_DFL)
        except (OSError, ValueError):
            continue  # KILL, STOP and the C library's own.


def _words(error: BaseException, order: dict[str, Any]) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or order['argv'][0]}: {error.strerror}"
    return str(error) or type(error).__name__
