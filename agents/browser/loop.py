"""The event loop on which all browsers of this process are driven, on a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from agents.egress.errors import Stopped, TimedOut
from llm.types import CancelToken

if TYPE_CHECKING:
    from playwright.async_api import Playwright

T = TypeVar("T")
_driver: Playwright | None = None


def drive(coroutine: Coroutine[Any, Any, T], *, timeout_s: float, cancel: CancelToken | None = None) -> T:
    """Run it on the browsers' loop and wait. Raises TimedOut or Stopped; either way it goes on no further."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop())

    def stop() -> None:
        future.cancel()

    forget = cancel.on_cancel(stop) if cancel else None
    try:
        return future.result(timeout_s)
    except concurrent.futures.CancelledError:
        raise Stopped("the run was stopped") from None
    except concurrent.futures.TimeoutError:
        future.cancel()
        raise TimedOut(f"the browser did not answer within {timeout_s:g} s") from None
    finally:
        if forget:
            forget()


async def driver(*, anew: bool = False) -> Playwright:
    """Return Playwright, started at first use, and again where it has died."""
    global _driver
    if _driver is None or anew:
        from playwright.async_api import async_playwright

        _driver = await async_playwright().start()
    return _driver


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="browsers", daemon=True).start()
    return loop
