"""One line for every step that takes over a second: shown when it has, with the time at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 1.0


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show `title` when the block lasts over a second, and how long it took when it ends."""
    started = time.monotonic()
    shown = threading.Event()

    def show() -> None:
        shown.set()
        print(f"  {title} …", end="", file=sys.stderr, flush=True)

    timer = threading.Timer(PATIENCE_S, show)
    timer.daemon = True
    timer.start()
    ending = "failed after"
    try:
        yield
        ending = "done in"
    finally:
        timer.cancel()
        if shown.is_set():
            print(f" {ending} {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
