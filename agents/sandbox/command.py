"""What is to run, within which limits and walls, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

MB = 1024 * 1024
GB = 1024 * MB


@dataclass(frozen=True)
class Limits:
    """`processes` and `total_memory_bytes` count the whole tree, the others each process; `output_bytes` is all it may say.

    `memory_bytes` is address space: some runtimes (V8, the JVM) reserve far more than they use and need None. `disk_bytes`
    is how much the writable folders may grow, `kept_bytes` how much of what it said `run` returns.
    """

    cpu_s: int | None = 3_600
    memory_bytes: int | None = 8 * GB
    total_memory_bytes: int = 4 * GB
    processes: int = 256
    open_files: int = 1_024
    file_bytes: int = 2 * GB
    disk_bytes: int = 4 * GB
    scratch_bytes: int = 512 * MB
    output_bytes: int = 64 * MB
    kept_bytes: int = 200_000


@dataclass(frozen=True)
class Proxy:
    """The way out: the unix socket where the filtering proxy listens, and who may use it (`user:password`).

    Inside walls it stands on 127.0.0.1:3128 and in HTTP_PROXY and its kin; without walls there is nothing that it could bound.
    """

    socket: Path
    credentials: str = field(default="", repr=False)


@dataclass(frozen=True)
class Way:
    """A port of 127.0.0.1 inside walls that is joined with a unix socket.

    Outward, who connects to the port speaks with who listens at the socket. `inward`, the socket is made, in a folder that is
    writable, and leads to what the command listens on.
    """

    socket: Path
    port: int
    inward: bool = False

    def __str__(self) -> str:
        return f"{'in' if self.inward else 'out'}:{self.port}:{self.socket}"


@dataclass(frozen=True)
class Access:
    """What a contained command reaches besides the system's programs: paths that exist, a proxy or no network, and ways.

    `instead` shows the first path of each pair where the second one stands, for what is within reach and must not be read.
    """

    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    proxy: Proxy | None = None
    ways: tuple[Way, ...] = ()
    instead: tuple[tuple[Path, Path], ...] = ()


@dataclass(frozen=True)
class Command:
    """One command. Its environment is built from nothing and `environment`; `secrets` are variables too.

    Neither ever stands among arguments: they are handed over by a descriptor. `cwd` must be within reach.
    """

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = Limits()
    access: Access = Access()


Ended = Literal["exited", "timeout", "cancelled", "limit"]


@dataclass(frozen=True)
class Finished:
    """`exit_code` is negative for a signal, None if it was stopped. `limit` names the limit that it broke.

    `stdout` and `stderr` are the beginning and the end of what it said, `dropped_bytes` what lies between.
    """

    ended: Ended
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    dropped_bytes: int
    duration_s: float
    sandbox: str
    limit: str = ""

    @property
    def succeeded(self) -> bool:
        return self.ended == "exited" and self.exit_code == 0
