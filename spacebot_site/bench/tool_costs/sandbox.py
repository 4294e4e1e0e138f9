"""Starting a command behind the best walls there are, and stopping one that does not want to stop."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.sandbox import probe
from agents.sandbox.command import Access, Command
from agents.sandbox.errors import NotContained
from agents.sandbox.launcher import run
from llm.types import CancelToken
from spacebot_site.bench.report import Value, percentile

STARTS, STOPS = 100, 20
DEAF = "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM HUP INT; (setsid sleep 1000 &); sleep 1000' &); echo up; sleep 1000"


def start(*, quick: bool) -> dict[str, Value]:
    """Measure a command that does nothing, from the call to its return with everything gone."""
    with _place() as home:
        try:
            sandbox = probe.best()
        except NotContained:
            return {"sandbox_p50_ms": None}
        took = []
        for _ in range(STARTS // (4 if quick else 1)):
            began = time.perf_counter()
            run(_command("true", home), sandbox, timeout_s=10)
            took.append((time.perf_counter() - began) * 1_000)
    return {
        "sandbox_p50_ms": round(percentile(took, 0.5), 1),
        "sandbox_p95_ms": round(percentile(took, 0.95), 1),
    }


def stop(*, quick: bool) -> dict[str, Value]:
    """Measure from a cancellation to the end of a tree that ignores signals and has detached itself."""
    with _place() as home:
        try:
            sandbox = probe.best()
        except NotContained:
            return {"stop_p95_ms": None}
        took = []
        for _ in range(STOPS // (4 if quick else 1)):
            token, cancelled_at = CancelToken(), [0.0]

            def cancel(token: CancelToken = token, at: list[float] = cancelled_at) -> None:
                at[0] = time.perf_counter()
                token.cancel("bench")

            threading.Timer(0.3, cancel).start()
            run(_command(DEAF, home), sandbox, timeout_s=30, cancel=token)
            took.append((time.perf_counter() - cancelled_at[0]) * 1_000)
    return {"stop_p95_ms": round(percentile(took, 0.95), 1)}


def _command(line: str, home: Path) -> Command:
    return Command(argv=("/bin/sh", "-c", line), cwd=home, access=Access(writable=(home,)))


@contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="spacebot-bench-") as name:
        yield Path(name).resolve()
