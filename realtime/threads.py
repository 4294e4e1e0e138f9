"""Database work for coroutines: some threads that give their connection back after every call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from accounts.database import release_connection

T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="realtime-database")


async def in_thread(call: Callable[..., T], *arguments: object) -> T:
    """Run a function that uses the database; no connection is held afterwards."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _call, call, arguments)


def _call(call: Callable[..., T], arguments: tuple[object, ...]) -> T:
    try:
        return call(*arguments)
    finally:
        release_connection()
