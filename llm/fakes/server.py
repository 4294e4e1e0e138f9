"""Run a fake provider by hand: `python -m llm.fakes.server --port 9001 --latency-ms 1000`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading

from llm.fakes.brains import echo
from llm.fakes.provider import FRAMES, FakeProvider


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m llm.fakes.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="before the first byte")
    parser.add_argument("--chunk-delay-ms", type=float, default=0.0, help="between the pieces of a stream")
    parser.add_argument("--chunks", type=int, default=3, help="pieces a text is streamed in")
    parser.add_argument(
        "--style", choices=sorted(FRAMES), default="openai", help="whose address to print; all are served"
    )
    options = parser.parse_args(arguments)
    brain = echo(
        latency_s=options.latency_ms / 1_000,
        chunk_delay_s=options.chunk_delay_ms / 1_000,
        chunks=options.chunks,
    )
    with FakeProvider(brain, port=options.port, keep=0) as fake:
        sys.stdout.write(f"{fake.base_url(options.style)}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
