"""What a driver is: it turns a command into an order that the keeper can carry out."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from agents.sandbox.command import Command
from agents.sandbox.environment import PATH, build, check_variables
from agents.sandbox.errors import CannotStart


@dataclass(frozen=True)
class Order:
    """What the keeper is told. `wraps`: its child is a tool of the driver, and the command is below it.

    `subreaper`: what detaches itself would else leave the tree. `limits` are those of each process.
    `alive_fd` is held open by the first process of a PID namespace: when that is gone, so is everything in it.
    """

    file: str
    argv: list[str]
    environment: dict[str, str]
    cwd: str
    limits: dict[str, int | None]
    watch: dict[str, Any]
    wraps: bool = False
    subreaper: bool = False
    seccomp: bytes = b""
    seccomp_fd: int = 0
    alive_fd: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Sandbox(Protocol):
    """A driver. `name` is stored on every run; `contains` says whether there are walls at all."""

    name: str
    contains: bool

    def order(self, command: Command) -> Order:
        """Return what the keeper is to do. Raises CannotStart and BadVariable."""


def environment_of(command: Command) -> dict[str, str]:
    check_variables({**command.environment, **command.secrets})
    return build(str(command.cwd), command.environment, command.secrets, command.access.proxy)


def limits_of(command: Command) -> dict[str, int | None]:
    """Return the limits of each process.

    How many there may be is watched instead: RLIMIT_NPROC counts all processes of a user, and none of root's.
    """
    limits = command.limits
    return {
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "open_files": limits.open_files,
        "file_bytes": limits.file_bytes,
    }


def watch_of(command: Command) -> dict[str, Any]:
    limits = command.limits
    return {
        "processes": limits.processes,
        "total_memory_bytes": limits.total_memory_bytes,
        "disk_bytes": limits.disk_bytes,
        "folders": [str(path) for path in (command.cwd, *command.access.writable)],
    }


def find_program(name: str, *, path: str = PATH) -> str:
    found = name if "/" in name else shutil.which(name, path=path)
    if found is None or not os.access(found, os.X_OK):
        raise CannotStart(f"there is no program {name!r}")
    return found


def check_folder(folder: Path) -> None:
    if not folder.is_absolute() or not folder.is_dir():
        raise CannotStart(f"there is no folder {str(folder)!r}")
