"""The fake provider: one server, all three wire formats, one brain that decides every answer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import weakref
from types import ModuleType, TracebackType

from llm.fakes import anthropic_frames, chat_frames, responses_frames
from llm.fakes.brains import echo
from llm.fakes.http import END, Connection, chunked
from llm.fakes.refusals import ANTHROPIC, refusal
from llm.fakes.replies import Brain, FakeReply, FakeRequest, Fault
from llm.serving.reading import read_messages, read_tools

FRAMES: dict[str, ModuleType] = {
    "openai": chat_frames,
    "responses": responses_frames,
    "anthropic": anthropic_frames,
}
PATHS = {"/v1/chat/completions": "openai", "/v1/responses": "responses", "/v1/messages": "anthropic"}
MODELS = ("fake-1", "fake-2")


class FakeProvider:
    """A server in a thread of its own. `requests` keeps what came, `request_times` when (monotonic)."""

    def __init__(self, brain: Brain | None = None, *, port: int = 0, keep: int = 100_000) -> None:
        self.brain = brain or echo()
        self.port = port
        self.requests: list[FakeRequest] = []
        self.request_times: list[float] = []
        self.connections = 0
        self._keep = keep
        self._count = 0
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def base_url(self, style: str) -> str:
        """Return the address as the vendor's SDK wants it: Anthropic's without the version."""
        return f"http://127.0.0.1:{self.port}" + ("" if style == "anthropic" else "/v1")

    def start(self) -> FakeProvider:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="fake-provider", daemon=True)
        self._thread.start()
        if not ready.wait(30):
            raise RuntimeError("the fake provider did not start")
        return self

    def stop(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop = self._thread = None

    def __enter__(self) -> FakeProvider:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        try:
            make = loop.create_server(self._connect, "127.0.0.1", self.port, backlog=1024)
            server = loop.run_until_complete(make)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            loop.run_forever()
            server.close()
            for connection in list(self._open):
                connection.close()
            loop.run_until_complete(asyncio.sleep(0))
        finally:
            loop.close()

    def _connect(self) -> Connection:
        self.connections += 1
        connection = Connection(self._handle)
        self._open.add(connection)
        return connection

    def _handle(
        self, connection: Connection, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> None:
        path = path.partition("?")[0]
        if method == "GET" and path == "/v1/models":
            models = [{"id": name, "object": "model", "type": "model"} for name in MODELS]
            connection.send_json(200, {"object": "list", "data": models, "has_more": False})
            return
        style = PATHS.get(path)
        if style is None:
            connection.send_json(
                404, {"error": {"message": f"no such path: {path}", "type": "not_found_error"}}
            )
            return
        request = self._read(style, path, headers, json.loads(body))
        reply = self.brain(request)
        connection.after(reply.latency_s, lambda: _answer(connection, request, reply))

    def _read(self, style: str, path: str, headers: dict[str, str], body: dict[str, object]) -> FakeRequest:
        self._count += 1
        request = FakeRequest(
            style=style,
            path=path,
            headers=headers,
            body=body,
            messages=read_messages(style, body),
            tools=read_tools(body),
            number=self._count,
        )
        if len(self.requests) < self._keep:
            self.requests.append(request)
            self.request_times.append(time.monotonic())
        return request


def _answer(connection: Connection, request: FakeRequest, reply: FakeReply) -> None:
    fault = reply.fault
    if fault is Fault.HANG:
        return
    if fault is not None and fault in ANTHROPIC:
        key = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix(
            "Bearer "
        )
        status, body = refusal(request.style, fault, key=key)
        headers = {"retry-after": reply.retry_after} if reply.retry_after else {}
        connection.send_json(status, body, **headers)
        return
    parts = list(FRAMES[request.style].frames(request, reply))
    if fault is None and reply.chunk_delay_s <= 0:
        connection.write(connection.start_stream() + chunked(parts) + END)
        return
    if fault is not None:
        parts = parts[: max(2, len(parts) // 2)]
    connection.write(connection.start_stream())
    _send_parts(connection, request, reply, parts)


def _send_parts(connection: Connection, request: FakeRequest, reply: FakeReply, parts: list[bytes]) -> None:
    """Send one part, and the rest after a pause; then end the way the fault wants it."""
    if parts and reply.chunk_delay_s > 0:
        connection.write(chunked(parts[:1]))
        connection.after(reply.chunk_delay_s, lambda: _send_parts(connection, request, reply, parts[1:]))
        return
    connection.write(chunked(parts))
    if reply.fault is Fault.CUT:
        connection.close()
        return
    if reply.fault is Fault.HANG_MIDWAY:
        return
    if reply.fault is Fault.STREAM_ERROR:
        connection.write(chunked([FRAMES[request.style].error_frame("Overloaded")]))
    if reply.fault is Fault.NOT_JSON:
        connection.write(chunked([b"data: {oops\n\n"]))
    connection.write(END)
