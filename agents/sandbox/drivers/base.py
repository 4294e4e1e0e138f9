"""What a driver is: it turns a command into an order that the keeper can carry out."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from agents.sandbox.command import Command, Way
from agents.sandbox.environment import INSIDE_PROXY, PATH, build, check_variables
from agents.sandbox.errors import CannotStart

FORWARDER = Path(__file__).resolve().parent.parent / "inside" / "forward.py"


@dataclass(frozen=True)
class Order:
    """What the keeper is told. `wraps`: its child is a tool of the driver, and the command is below it.

    `limits` are those of each process.
    """

    file: str
    argv: list[str]
    environment: dict[str, str]
    cwd: str
    limits: dict[str, int | None]
    watch: dict[str, Any]
    wraps: bool = False
    seccomp: bytes = b""
    seccomp_fd: int = 0
    namespaces: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Sandbox(Protocol):
    """A driver. `name` is stored on every run; `contains`: there are walls; `has_ways`: a proxy and ways lead through them."""

    name: str
    contains: bool
    has_ways: bool

    def order(self, command: Command) -> Order:
        """Return what the keeper is to do. Raises CannotStart and BadVariable."""


def environment_of(command: Command) -> dict[str, str]:
    check_variables({**command.environment, **command.secrets})
    return build(str(command.cwd), command.environment, command.secrets, command.access.proxy)


def with_ways(command: Command) -> Command:
    """Return the command as it runs inside walls: behind the forwarder where it has ways, and as it is without any."""
    ways, proxy = command.access.ways, command.access.proxy
    if proxy is not None:
        ways = (*ways, Way(proxy.socket, INSIDE_PROXY[1]))
    if not ways:
        return command
    outward = tuple(way.socket for way in ways if not way.inward)
    if not all(socket.is_socket() for socket in outward):
        raise CannotStart("the proxy does not listen")
    access = replace(
        command.access,
        readable=(*command.access.readable, *python_paths(), FORWARDER),
        writable=(*command.access.writable, *outward),
    )
    forwarder = (sys.executable, "-I", "-S", str(FORWARDER), *map(str, ways), "--")
    return replace(command, argv=(*forwarder, *command.argv), access=access)


def python_paths() -> tuple[Path, ...]:
    """Return the folders that our own interpreter and its packages lie in."""
    return tuple(dict.fromkeys(Path(name) for name in (sys.base_prefix, sys.prefix)))


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
