"""What the child takes away from itself before it looks at a file."""

from __future__ import annotations

import codecs
import resource
import sys

CPU_S = 45
MEMORY_BYTES = 512 * 1024 * 1024
ENCODINGS = (
    "ascii", "latin-1", "cp1252", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "mac-roman", "cp037", "charmap",
    "unicode-escape", "gbk", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "idna", "hex", "base64", "zlib",
)  # fmt: skip


def lower_limits() -> None:
    """Allow so much time and memory, and no file, process or core dump. Nothing can be imported afterwards."""
    for name in ENCODINGS:
        codecs.lookup(name)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CPU, CPU_S)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_NOFILE, 3)


def _limit(kind: int, most: int) -> None:
    try:
        resource.setrlimit(kind, (most, most))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise  # macOS knows no limit of address space; everywhere else a missing limit is a fault.
