"""Stopping a request that another thread is waiting for.

A synchronous call blocks in the socket, so the only thing that wakes it at once is the socket itself. Every
connection of the pool is a `_Line`; while a thread is inside `Call.active` the lines it writes to become the
call's, and `Call.abort` shuts them down. The same place holds the deadline of the whole request, because only
here is each single read seen.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import httpcore2

_current = threading.local()


class Call:
    """One request in flight; `abort` may come from any thread and takes effect once."""

    def __init__(self, *, deadline_at: float | None) -> None:
        self.deadline_at = deadline_at
        self.is_aborted = False
        self.wake = threading.Event()
        self._lock = threading.Lock()
        self._line: _Line | None = None

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Claim for this call the connection that the thread talks over."""
        before = getattr(_current, "call", None)
        _current.call = self
        try:
            yield
        finally:
            _current.call = before

    def use(self, line: _Line) -> None:
        with self._lock:
            self._line = line
            aborted = self.is_aborted
        if aborted:
            line.shut_down()

    def release(self) -> None:
        """Forget the connection: it goes back to the pool and may serve somebody else."""
        with self._lock:
            if self._line is not None and self._line.call is self:
                self._line.call = None
            self._line = None

    def abort(self) -> None:
        with self._lock:
            self.is_aborted = True
            line = self._line
        self.wake.set()
        if line is not None and line.call is self:
            line.shut_down()

    def end_within(self, seconds: float) -> None:
        """Bring the deadline forward."""
        soon = time.monotonic() + seconds
        self.deadline_at = soon if self.deadline_at is None else min(soon, self.deadline_at)

    def remaining_s(self, timeout_s: float | None) -> float | None:
        """Return `timeout_s` cut to what the deadline leaves, at least a millisecond."""
        if self.deadline_at is None:
            return timeout_s
        left = max(self.deadline_at - time.monotonic(), 0.001)
        return left if timeout_s is None else min(left, timeout_s)


def current_call() -> Call | None:
    """Return the request that this thread is making, if it is inside `Call.active`."""
    call: Call | None = getattr(_current, "call", None)
    return call


class _Line(httpcore2.NetworkStream):
    """A connection that can be shut down from outside."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner
        self.call: Call | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        call = self.call
        return self._inner.read(max_bytes, timeout if call is None else call.remaining_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        call = self._claim()
        self._inner.write(buffer, timeout if call is None else call.remaining_s(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        call = self._claim()
        if call is not None:
            timeout = call.remaining_s(timeout)
        return _Line(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def shut_down(self) -> None:
        """Wake whoever reads or writes here: they see the end of the stream."""
        sock = self._inner.get_extra_info("socket")
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _claim(self) -> Call | None:
        call: Call | None = getattr(_current, "call", None)
        if call is not None and self.call is not call:
            self.call = call
            call.use(self)
        return call


class InterruptibleBackend(httpcore2.SyncBackend):
    """Opens connections whose calls can be aborted."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        call: Call | None = getattr(_current, "call", None)
        connect = partial(
            super().connect_tcp, host, port, local_address=local_address, socket_options=socket_options
        )
        if call is None:
            return _Line(connect(timeout=timeout))
        return _Line(_connect_aside(call, partial(connect, timeout=call.remaining_s(timeout))))


def _connect_aside(call: Call, connect: Callable[[], httpcore2.NetworkStream]) -> httpcore2.NetworkStream:
    """Connect in a thread of its own: neither a name look-up nor a handshake can be interrupted otherwise."""
    outcome: Future[httpcore2.NetworkStream] = Future()

    def work() -> None:
        try:
            stream = connect()
        except BaseException as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(stream)

    outcome.add_done_callback(lambda _: call.wake.set())
    threading.Thread(target=work, name="llm-connect", daemon=True).start()
    call.wake.wait()
    call.wake.clear()
    if call.is_aborted:
        outcome.add_done_callback(_close_late)
        raise httpcore2.ConnectError("cancelled while connecting")
    return outcome.result()


def _close_late(outcome: Future[httpcore2.NetworkStream]) -> None:
    if outcome.exception() is None:
        outcome.result().close()
