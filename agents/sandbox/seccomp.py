"""The list of forbidden system calls, as a program that the kernel runs at each call.

What a contained command has no honest use for, and what has led out of namespaces before, fails with EPERM. `clone3` fails
with ENOSYS, because its flags cannot be looked at: C libraries then fall back to `clone`, whose flags can.
"""

from __future__ import annotations

import platform
import struct
from functools import cache

from agents.sandbox.syscall_numbers import ARCHITECTURES, FORBIDDEN

LOAD, AND, JUMP_IF, JUMP_IF_SET, JUMP_AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x45, 0x35, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
NEW_NAMESPACES = 0x7E020000
TTY_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: they type into a terminal as if a person did."""
FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: those that namespaces hold back. AF_VSOCK, for one, they do not."""

Line = tuple[int, int, int, int]


def is_known_machine() -> bool:
    return platform.machine() in ARCHITECTURES


@cache
def program() -> bytes:
    """Return the program for this machine, as struct sock_filter."""
    architecture, numbers = ARCHITECTURES[platform.machine()]
    lines: list[Line] = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
    ]
    if platform.machine() == "x86_64":
        lines += [(JUMP_AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, REFUSE | ENOSYS)]
    for name in FORBIDDEN:
        if name in numbers:
            lines += [(JUMP_IF, 0, 1, numbers[name]), (RETURN, 0, 0, REFUSE | EPERM)]
    lines += [(JUMP_IF, 0, 1, numbers["clone3"]), (RETURN, 0, 0, REFUSE | ENOSYS)]
    lines += _when(
        numbers["clone"], _argument(0), (JUMP_IF_SET, 0, 1, NEW_NAMESPACES), (RETURN, 0, 0, REFUSE | EPERM)
    )
    for request in TTY_INPUT:
        lines += _when(
            numbers["ioctl"], _argument(1), (JUMP_IF, 0, 1, request), (RETURN, 0, 0, REFUSE | EPERM)
        )
    lines += _families(numbers["socket"]) + _families(numbers["socketpair"])
    lines.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", code, yes, no, value) for code, yes, no, value in lines)


def _argument(place: int) -> Line:
    """Load the lower half of an argument; both machines here are little-endian."""
    return (LOAD, 0, 0, ARGUMENTS_AT + 8 * place)


def _when(number: int, *lines: Line) -> list[Line]:
    """Do `lines` at one system call, and load its number again after them."""
    block = [*lines, (LOAD, 0, 0, NUMBER_AT)]
    return [(JUMP_IF, 0, len(block), number), *block]


def _families(number: int) -> list[Line]:
    tests: list[Line] = []
    for place, family in enumerate(FAMILIES):
        tests.append((JUMP_IF, len(FAMILIES) - place, 0, family))
    return _when(number, _argument(0), *tests, (RETURN, 0, 0, REFUSE | EAFNOSUPPORT))
