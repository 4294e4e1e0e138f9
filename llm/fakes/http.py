"""As much HTTP/1.1 as the fakes need, straight on asyncio: two hundred streams at once cost little processor time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

END = b"0\r\n\r\n"
Handler = Callable[["Connection", str, str, dict[str, str], bytes], None]


class Connection(asyncio.Protocol):
    """One client connection. Requests are handled one after the other, as HTTP/1.1 clients send them."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._buffer = b""
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
            size = int(headers.get("content-length", "0"))
            if len(self._buffer) < end + 4 + size:
                return
            body = self._buffer[end + 4 : end + 4 + size]
            self._buffer = self._buffer[end + 4 + size :]
            method, path, _ = first.split(" ", 2)
            self._handle(self, method, path, headers, body)

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something later, unless the client has gone."""
        if delay_s <= 0:
            action()
        else:
            self._timer = asyncio.get_running_loop().call_later(delay_s, action)

    def send_json(self, status: int, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.write(
            _head(
                status, {"content-type": "application/json", "content-length": str(len(content)), **headers}
            )
            + content
        )

    def start_stream(self) -> bytes:
        """Return the head of a streamed answer."""
        return _head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def chunked(parts: Iterable[bytes]) -> bytes:
    """Return `parts` as one chunk of a chunked body; nothing for nothing."""
    data = b"".join(parts)
    return f"{len(data):x}\r\n".encode() + data + b"\r\n" if data else b""


def _head(status: int, headers: dict[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Overloaded"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
