"""One running command, seen from our side: its pipes, its end, and the socket that keeps it alive."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from marshal import dumps, loads
from typing import Any

from agents.sandbox import keepers
from agents.sandbox.drivers.base import Order
from agents.sandbox.errors import CannotStart
from agents.sandbox.pipes import Pipes

START_WITHIN_S = 20.0
GRACE_S = 1.0


class Child:
    """A command that runs until it ends or `stop` is called, and not longer than this process.

    `stdin`, `stdout` and `stderr` are unbuffered pipes, None where something else was given. Whoever spawns must read them.
    `more` are descriptors that it has from 3 on.
    """

    def __init__(
        self, order: Order, *, stdin: Any, stdout: Any, stderr: Any, sandbox: str, more: tuple[int, ...] = ()
    ) -> None:
        self.sandbox = sandbox
        self.limit = ""
        self.exit_code: int | None = None
        self.ended = False
        self._lock = threading.Lock()
        self._pipes = Pipes(stdin=stdin, stdout=stdout, stderr=stderr)
        self.stdin, self.stdout, self.stderr = self._pipes.stdin, self._pipes.stdout, self._pipes.stderr
        try:
            keeper = keepers.take()
        except BaseException:
            self._pipes.close()
            raise
        self._keeper, self._control = keeper.process, keeper.control
        try:
            self._begin(order, [*self._pipes.theirs, *more])
        except BaseException:
            self.close()
            raise
        keepers.prepare()

    def _begin(self, order: Order, handed: list[int]) -> None:
        self._control.settimeout(START_WITHIN_S)
        data = dumps(order.as_dict())
        try:
            socket.send_fds(self._control, [len(data).to_bytes(4, "big")], handed)
            self._pipes.hand_over()
            self._control.sendall(data)
            word = self._hear()
        except OSError as error:
            raise CannotStart(f"it did not start: {error}") from None
        if "started" not in word:
            raise CannotStart(str(word.get("failed", "its keeper ended")))
        self.pid: int = word["started"]

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the command has ended."""
        return self._control.fileno()

    def poll(self) -> bool:
        """Say whether it has ended, and with all its descendants; `exit_code` and `limit` then say how."""
        return self.wait(0)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False if it has not come by then."""
        if self.ended:
            return True
        with contextlib.suppress(ValueError):
            ready, _, _ = select.select([self._control], [], [], timeout_s)
            if not ready:
                return False
        with self._lock:
            if not self.ended:
                self._take_end()
        return True

    def terminate(self) -> None:
        """Ask every process of it to end."""
        self._send(b"T")

    def kill(self) -> None:
        """End every process of it, whatever they do about it. May be called from any thread."""
        self._send(b"K")

    def stop(self, *, grace_s: float = GRACE_S) -> None:
        """Ask it to end, kill what has not within `grace_s`, and wait until nothing is left."""
        if not self.ended:
            self.terminate()
            if not self.wait(grace_s):
                self.kill()
                self.wait(START_WITHIN_S)
        self.close()

    def close(self) -> None:
        """Let go of it. What still runs is killed by its keeper, which notices."""
        with self._lock:
            if not self.ended:
                self.ended = True
            self._control.close()
        self._pipes.close()
        keepers.end(self._keeper)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(grace_s=0)

    def _take_end(self) -> None:
        try:
            word = self._hear()
        except OSError:
            word = {}
        status = word.get("status", -1)
        self.exit_code = os.waitstatus_to_exitcode(status) if status >= 0 else None
        self.limit = word.get("limit", "")
        self.ended = True

    def _hear(self) -> dict[str, Any]:
        size = int.from_bytes(self._exactly(4), "big")
        found: dict[str, Any] = loads(self._exactly(size)) if size else {}  # noqa: S302 -- from our own keeper
        return found

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._control.recv(size - len(data))
            if not piece:
                return b""
            data += piece
        return data

    def _send(self, word: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            if not self.ended:
                self._control.sendall(word)
