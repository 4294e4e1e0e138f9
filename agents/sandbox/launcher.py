"""The one launcher: every child process of ours or a tool's starts here.

`run` sees a command through to its end; `spawn` starts one that stays (a server over stdio, a browser, a coding agent).
Either way nothing of it survives `stop`, its deadline, or this process.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from agents.sandbox.child import Child
from agents.sandbox.command import Command, Ended, Finished
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.streams import Kept
from llm.types import CancelToken

OnOutput = Callable[[bytes], None]
Glance = Callable[[float, bytes], str]
PIECE_BYTES = 65_536
GLANCE_S = 0.5
LAST_WORDS_BYTES = 400
STOPPED_WITHIN_S = 10.0


def spawn(
    command: Command,
    sandbox: Sandbox,
    *,
    merge_stderr: bool = False,
    line: socket.socket | None = None,
    descriptors: tuple[int, ...] = (),
) -> Child:
    """Start a command that stays, with pipes to it, or with `line` for its stdin and stdout. Raises CannotStart and BadVariable.

    What a command starts can open its pipes by way of /proc, and read and write there in its name; a socket it cannot open.
    `descriptors`, three to eight, are what it has open instead, from 0 on; whose they were may close them.
    """
    end = line if line is not None else subprocess.PIPE
    complaints = subprocess.STDOUT if merge_stderr else subprocess.PIPE
    given, said, complained, *more = descriptors or (end, end, complaints)
    return Child(
        sandbox.order(command),
        sandbox=sandbox.name,
        stdin=given,
        stdout=said,
        stderr=complained,
        more=tuple(more),
    )


def run(
    command: Command,
    sandbox: Sandbox,
    *,
    timeout_s: float,
    cancel: CancelToken | None = None,
    stdin: IO[bytes] | None = None,
    merge_stderr: bool = False,
    on_output: OnOutput | None = None,
    on_glance: Glance | None = None,
) -> Finished:
    """Run a command to its end, or to its deadline, a cancellation or a broken limit; what it said until then is kept.

    `on_output` is given each piece as it comes. `on_glance` is asked twice a second, with the seconds of silence and the
    last words, for a reason to stop; the reason becomes `limit`. Raises CannotStart and BadVariable.
    """
    began = time.monotonic()
    child = Child(
        sandbox.order(command),
        sandbox=sandbox.name,
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge_stderr else subprocess.PIPE,
    )
    forget = cancel.on_cancel(child.kill) if cancel is not None else lambda: None
    try:
        seen = _Seen(child, command, on_output, on_glance)
        ended = seen.follow(began + timeout_s)
        if ended != "exited":
            child.kill()
        seen.drain(time.monotonic() + STOPPED_WITHIN_S)
        child.wait(STOPPED_WITHIN_S)
        if cancel is not None and cancel.is_cancelled:
            ended = "cancelled"
        elif child.limit:
            ended, seen.limit = "limit", child.limit
        return Finished(
            ended=ended,
            exit_code=child.exit_code if ended == "exited" else None,
            stdout=seen.kept["stdout"].value(),
            stderr=seen.kept["stderr"].value(),
            dropped_bytes=sum(kept.dropped_bytes for kept in seen.kept.values()),
            duration_s=time.monotonic() - began,
            sandbox=sandbox.name,
            limit=seen.limit,
        )
    finally:
        forget()
        child.close()


@dataclass
class _Seen:
    """Reads both outputs of a child until they end, in bounded memory."""

    child: Child
    command: Command
    on_output: OnOutput | None
    on_glance: Glance | None
    limit: str = ""
    last_words: bytes = b""
    kept: dict[str, Kept] = field(init=False)
    _open: dict[int, str] = field(init=False)
    _heard_at: float = field(init=False)
    _total: int = 0

    def __post_init__(self) -> None:
        most = self.command.limits.kept_bytes
        self.kept = {"stdout": Kept(most), "stderr": Kept(most)}
        pipes = {"stdout": self.child.stdout, "stderr": self.child.stderr}
        self._open = {pipe.fileno(): name for name, pipe in pipes.items() if pipe is not None}
        self._heard_at = time.monotonic()

    def follow(self, until: float) -> Ended:
        """Read until the command ends; say what made an end of it."""
        while True:
            left_s = until - time.monotonic()
            if left_s <= 0:
                return "timeout"
            if self._read(min(left_s, GLANCE_S)) or self.child.poll():
                return "exited"
            if self._total > self.command.limits.output_bytes:
                self.limit = "output"
                return "limit"
            if self.on_glance and (
                reason := self.on_glance(time.monotonic() - self._heard_at, self.last_words)
            ):
                self.limit = reason
                return "limit"

    def drain(self, until: float) -> None:
        """Read what is still in the pipes of a command that has ended."""
        while self._open and (left_s := until - time.monotonic()) > 0:
            if self._read(left_s) or self._total > self.command.limits.output_bytes * 2:
                return

    def _read(self, timeout_s: float) -> bool:
        """Read once from what is ready; True when nothing is left to be read."""
        waiting = select.poll()
        for descriptor in self._open:
            waiting.register(descriptor, select.POLLIN)
        for descriptor, _ in waiting.poll(timeout_s * 1_000):
            piece = os.read(descriptor, PIECE_BYTES)
            if piece:
                self._take(self._open[descriptor], piece)
            else:
                del self._open[descriptor]
        return not self._open

    def _take(self, name: str, piece: bytes) -> None:
        self._heard_at = time.monotonic()
        self._total += len(piece)
        self.kept[name].add(piece)
        self.last_words = (self.last_words + piece)[-LAST_WORDS_BYTES:]
        if self.on_output is not None:
            self.on_output(piece)
