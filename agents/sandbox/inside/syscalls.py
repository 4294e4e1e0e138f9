"""System calls that Python has no function for. Importing this costs 3 ms: only where it is needed."""

from __future__ import annotations

import ctypes
import os
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
