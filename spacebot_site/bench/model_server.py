"""A model server with a fixed latency, lean enough to stand beside what it measures.

`python -m spacebot_site.bench.model_server PORT` speaks the streaming wire format of OpenAI chat completions and
answers what `brain` decides. It keeps, by mark, when each request had arrived and when its last byte was sent,
on the machine's monotonic clock. `POST /bench/latency` (body: milliseconds) sets the latency and `GET /bench/taken`
returns what was kept since it was last asked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, cast

import httptools
import uvloop

from spacebot_site.bench.brain import Answer, answer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECE = 24


class Record:
    """What the server was asked since somebody looked."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.calls = 0
        self.times: dict[str, list[tuple[float, float]]] = {}

    def take(self) -> dict[str, Any]:
        taken = {"calls": self.calls, "times": self.times}
        self.calls, self.times = 0, {}
        return taken


class Connection(asyncio.Protocol):
    """One kept-alive HTTP/1.1 connection; requests on it come one after the other."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url, self._body = b"", bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self._transport:
                self._transport.close()

    def on_message_begin(self) -> None:
        self._url, self._body = b"", bytearray()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        arrived = time.monotonic()
        if self._url.endswith(b"/chat/completions"):
            self._record.calls += 1
            found = answer(json.loads(self._body))
            left_s = self._record.latency_s - (time.monotonic() - arrived)
            if left_s > 0:
                asyncio.get_running_loop().call_later(left_s, self._send_answer, found, arrived)
            else:
                self._send_answer(found, arrived)
        elif self._url == b"/bench/latency":
            self._record.latency_s = float(self._body) / 1000
            self._send_json({})
        elif self._url == b"/bench/taken":
            self._send_json(self._record.take())
        else:
            self._send_json({"data": [{"id": "bench", "object": "model"}]})

    def _send_answer(self, found: Answer, arrived: float) -> None:
        if self._transport is None:
            return
        self._transport.write(HEAD + b"".join(_chunk(data) for data in stream(found)) + b"0\r\n\r\n")
        sent = time.monotonic()
        for mark in found.marks:
            self._record.times.setdefault(mark, []).append((arrived, sent))

    def _send_json(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        if self._transport:
            self._transport.write(head.encode() + data)


def stream(found: Answer) -> list[bytes]:
    """Return the answer as the data lines of server-sent events."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": found.text}]
    for index, (name, arguments) in enumerate(found.calls):
        text = json.dumps(arguments)
        head = {"index": index, "id": f"call_{index}", "type": "function"}
        deltas.append({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": text[at : at + PIECE]}}]}
            for at in range(0, len(text), PIECE)
        ]
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls" if found.calls else "stop"})
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    lines = [_event(choices=[choice]) for choice in choices]
    return [*lines, _event(choices=[], usage=usage), b"data: [DONE]\n\n"]


def _event(**parts: Any) -> bytes:
    body = {"id": "bench", "object": "chat.completion.chunk", "created": 0, "model": "bench", **parts}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def serve(port: int) -> None:
    record = Record()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(record), "127.0.0.1", port)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
