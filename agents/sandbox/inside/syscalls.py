"""System calls that Python has no function for. Importing this costs 3 ms: only where it is needed."""

from __future__ import annotations

import ctypes
import os
import struct
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 38, 36

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def prctl(option: int, value: int = 0, third: int = 0) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), 0, 0), f"prctl {option}")


def become_subreaper() -> None:
    """Inherit what detaches itself below us, so that it stays in our tree."""
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    found = _libc.mount(
        source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), data.encode() or None
    )
    _check(found, f"mount {target}")


def umount(target: str) -> None:
    _check(_libc.umount2(target.encode(), 2), "umount")


def pivot_root(new: str, old: str) -> None:
    _check(_libc.syscall(_number("pivot_root"), new.encode(), old.encode()), "pivot_root")


def make_read_only(target: str) -> None:
    harden(target, read_only=True)


def harden(target: str, *, read_only: bool) -> None:
    """Forbid set-user-id and devices in a mount and all below it, and writing where asked."""
    attributes = struct.pack("QQQQ", (1 if read_only else 0) | 2 | 4, 0, 0, 0)
    _check(
        _libc.syscall(442, -100, target.encode(), 0x8000, attributes, len(attributes)),
        f"mount_setattr {target}",
    )


def drop_capabilities() -> None:
    """Empty every set of capabilities, the bounding set first."""
    for capability in range(64):
        if _libc.prctl(24, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break
    prctl(47, 4)
    header, sets = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _check(_libc.syscall(_number("capset"), header, sets), "capset")


def filter_calls(program: bytes) -> None:
    """Install a seccomp program for this process and its children."""
    lines = ctypes.create_string_buffer(program)
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(lines))
    _check(_libc.prctl(22, ctypes.c_ulong(2), head, 0, 0), "seccomp")


def landlock_version() -> int:
    found: int = _libc.syscall(444, None, ctypes.c_size_t(0), 1)
    return found


def landlock_create(attributes: bytes) -> int:
    return _check(
        _libc.syscall(444, attributes, ctypes.c_size_t(len(attributes)), 0), "landlock_create_ruleset"
    )


def landlock_allow(ruleset: int, rule: bytes) -> None:
    _check(_libc.syscall(445, ruleset, 1, rule, 0), "landlock_add_rule")


def landlock_enforce(ruleset: int) -> None:
    _check(_libc.syscall(446, ruleset, 0), "landlock_restrict_self")


def _number(name: str) -> int:
    return _NUMBERS[os.uname().machine][name]


_NUMBERS = {"x86_64": {"pivot_root": 155, "capset": 126}, "aarch64": {"pivot_root": 41, "capset": 91}}
