"""A filtering forward proxy for browsers and sandboxed commands: one listener per run, one event loop per process.

Each connection is checked like a fetch and goes to the checked address. On TCP it asks for the run's own password; a unix
socket is as private as its folder.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from agents.egress.checking import Checker
from agents.egress.errors import Refused

T = TypeVar("T")
USER = "run"
MOST_KINDS_OF_REFUSAL = 200


@dataclass(frozen=True)
class ProxyLimits:
    """`total_bytes` counts both directions of the whole run."""

    total_bytes: int = 500_000_000
    connections: int = 128
    head_s: float = 15.0
    connect_s: float = 10.0
    idle_s: float = 90.0
    lasts_s: float = 1_800.0


@dataclass
class FilterProxy:
    """A run's proxy. `refused` counts what was not let through, by host, port and reason."""

    checker: Checker
    limits: ProxyLimits = field(default_factory=ProxyLimits)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    port: int = 0
    used_bytes: int = 0
    refused: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    connections: set[asyncio.Task[None]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def server(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address with the password in it, for a command's environment."""
        return f"http://{USER}:{self.password}@127.0.0.1:{self.port}"

    def saw(self, refused: Refused) -> None:
        key = (refused.host, refused.port, refused.reason)
        with self._lock:
            if key in self.refused or len(self.refused) < MOST_KINDS_OF_REFUSAL:
                self.refused[key] += 1

    def take_refusals(self) -> list[tuple[Refused, int]]:
        """Return what was refused since the last call, and how often."""
        with self._lock:
            rows = list(self.refused.items())
            self.refused.clear()
        return [(Refused(reason, host=host, port=port), times) for (host, port, reason), times in rows]


@contextmanager
def open_proxy(
    checker: Checker, *, unix: Path | None = None, limits: ProxyLimits | None = None
) -> Iterator[FilterProxy]:
    """Serve until the block ends; then every connection through it is closed. With `unix` on that socket, else on loopback."""
    proxy = FilterProxy(checker, limits or ProxyLimits())
    server = run_on_loop(_listen(proxy, unix))
    try:
        yield proxy
    finally:
        run_on_loop(_close(proxy, server))
        if unix is not None:
            unix.unlink(missing_ok=True)


def run_on_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result(timeout=15)


async def _listen(proxy: FilterProxy, unix: Path | None) -> asyncio.Server:
    from agents.egress.passing import MOST_HEAD_BYTES, serve

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(proxy, reader, writer, asks=unix is None))
        proxy.connections.add(task)
        task.add_done_callback(proxy.connections.discard)

    if unix is not None:
        server = await asyncio.start_unix_server(accepted, path=str(unix), limit=MOST_HEAD_BYTES)
        unix.chmod(0o600)
        return server
    server = await asyncio.start_server(accepted, "127.0.0.1", 0, limit=MOST_HEAD_BYTES)
    proxy.port = server.sockets[0].getsockname()[1]
    return server


async def _close(proxy: FilterProxy, server: asyncio.Server) -> None:
    server.close()
    tasks = list(proxy.connections)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=5)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=32, thread_name_prefix="egress-check"))
    threading.Thread(target=loop.run_forever, name="egress-proxy", daemon=True).start()
    return loop
