"""One event loop in a thread of its own, for all sessions of this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from accounts.database import release_connection

T = TypeVar("T")
P = ParamSpec("P")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def event_loop() -> asyncio.AbstractEventLoop:
    """Return the loop, started at its first use."""
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="mcp", daemon=True).start()
        return _loop


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    return asyncio.run_coroutine_threadsafe(work, event_loop())


async def in_database(function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Call what asks the database in a thread, which hands its connection back."""

    def call() -> T:
        try:
            return function(*args, **named)
        finally:
            release_connection()

    return await asyncio.to_thread(call)
