"""What the child takes away from itself before it looks at a file."""

from __future__ import annotations

import pkgutil
import resource
import sys
from contextlib import suppress
from importlib import import_module

CPU_S = 45
MEMORY_BYTES = 512 * 1024 * 1024


def load_all(package: str) -> None:
    """Import every module of a package now: some load theirs at first use, when no file can be opened any more."""
    found = import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        with suppress(ImportError, AttributeError):  # Parts for other platforms, or with needs of their own.
            import_module(module.name)


def lower_limits() -> None:
    """Allow so much time and memory, and no file, process or core dump. Nothing can be imported afterwards."""
    load_all("encodings")
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
