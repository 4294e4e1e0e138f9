"""A client of the API that costs little: kept-alive HTTP connections and one WebSocket, on one event loop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import connect

REQUEST_TIMEOUT_S = 60.0
KEEP_IDLE_S = 3.0
"""Servers close idle connections after five seconds; one that is reused at that very moment breaks."""


@dataclass(frozen=True)
class Refused(Exception):
    """An answer of 400 or above."""

    status: int
    body: str


class Api:
    """Requests to `/api/v1` of one installation. As many connections as requests are under way."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []
        self._head = (
            f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        )

    async def get(self, path: str) -> Any:
        return await self.request("GET", path)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        return await self.request("POST", path, body)

    async def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the decoded answer. Raises Refused, or OSError when the connection breaks."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /api/v1{path} HTTP/1.1\r\n{self._head}Content-Length: {len(payload)}\r\n\r\n"
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            reader, writer = await self._connection()
            try:
                writer.write(head.encode() + payload)
                status, data = await _read_answer(reader)
            except BaseException as error:
                writer.close()
                if isinstance(error, EOFError | ValueError):
                    raise ConnectionError("the connection broke") from error
                raise
        self._idle.append((reader, writer, time.monotonic()))
        if status >= 400:
            raise Refused(status, data.decode("utf-8", "replace"))
        return json.loads(data) if data else None

    def close(self) -> None:
        for _, writer, _ in self._idle:
            writer.close()
        self._idle.clear()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer, since = self._idle.pop()
            if time.monotonic() - since < KEEP_IDLE_S and not writer.is_closing() and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    if "transfer-encoding: chunked" in head:
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return status, b"".join(parts)
    length = next((line for line in head.split("\r\n") if line.startswith("content-length:")), ":0")
    return status, await reader.readexactly(int(length.partition(":")[2]))


@asynccontextmanager
async def events(api: Api, hear: Callable[[dict[str, Any]], None]) -> AsyncIterator[None]:
    """Listen to the organization's events while the block runs; `hear` gets each one as it arrives."""
    address = f"ws://127.0.0.1:{api.port}/api/v1/events"
    headers = {"Authorization": f"Bearer {api.token}"}
    async with connect(address, additional_headers=headers, compression=None, max_queue=None) as socket:
        while json.loads(await socket.recv())["kind"] != "ready":
            continue

        async def listen() -> None:
            async for text in socket:
                hear(json.loads(text))

        listening = asyncio.create_task(listen())
        try:
            yield
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
