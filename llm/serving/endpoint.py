"""The endpoint of one run: requests in a vendor's wire format, answered by whichever model our routes name.

An answer is sent when it is whole, because only then has the shield seen all of it; until then a stream is kept open by comments.
What a program behind walls can do here is ask models at the cost of its run, and nothing else.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import select
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import Any

from accounts.database import release_connection
from llm.errors import (
    AuthenticationFailed,
    Cancelled,
    ContextTooLong,
    LLMError,
    ModelNotFound,
    NotConfigured,
    RateLimited,
    RequestRefused,
)
from llm.services.calls import CallContext, CompletedCall, complete
from llm.services.tokens import estimate_tokens
from llm.serving import anthropic_answers, chat_answers
from llm.serving.reading import read_request
from llm.types import CancelToken, ChatRequest, Usage

PATHS: dict[str, tuple[str, ModuleType]] = {
    "/v1/chat/completions": ("openai", chat_answers),
    "/v1/messages": ("anthropic", anthropic_answers),
}
COUNTS = "/v1/messages/count_tokens"
MOST_BYTES = 32_000_000
MOST_AT_ONCE = 8
COMMENT_EVERY_S = 10.0
LOOK_EVERY_S = 0.5
IDLE_S = 120.0
STATUSES: tuple[tuple[type[LLMError], int], ...] = (
    (RateLimited, 429), (ContextTooLong, 400), (RequestRefused, 400), (AuthenticationFailed, 401),
    (ModelNotFound, 404), (NotConfigured, 404),
)  # fmt: skip


@dataclass(frozen=True)
class Spent:
    """What was asked through an endpoint. `cost_usd` is None where one answer's is unknown."""

    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = Decimal(0)

    def plus(self, done: CompletedCall) -> Spent:
        mine, more = self.usage, done.response.usage
        usage = Usage(
            mine.input_tokens + more.input_tokens,
            mine.output_tokens + more.output_tokens,
            mine.cache_read_tokens + more.cache_read_tokens,
            mine.cache_write_tokens + more.cache_write_tokens,
            mine.reasoning_tokens + more.reasoning_tokens,
        )
        known = self.cost_usd is not None and done.cost_usd is not None
        return Spent(usage, self.cost_usd + done.cost_usd if known else None)  # type: ignore[operator]


@dataclass
class Endpoint:
    """What one run asks models through. `failure` is the error of the model that was asked last, if it failed."""

    context: CallContext
    token: str = field(repr=False)
    cancel: CancelToken
    port: int = 0
    failure: LLMError | None = None
    _spent: Spent = field(default_factory=Spent)
    _count: int = 0
    _working: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def is_working(self) -> bool:
        """Say whether a model is being asked now."""
        return self._working > 0

    def take_spent(self) -> Spent:
        """Return what was spent since the last call."""
        with self._lock:
            spent, self._spent = self._spent, Spent()
        return spent

    def begin(self) -> int:
        """Return the number of a new request; 0 where too many are under way."""
        with self._lock:
            if self._working >= MOST_AT_ONCE:
                return 0
            self._working += 1
            self._count += 1
            return self._count

    def ended(self, outcome: CompletedCall | LLMError) -> None:
        with self._lock:
            self._working -= 1
            if isinstance(outcome, CompletedCall):
                self._spent, self.failure = self._spent.plus(outcome), None
            elif not isinstance(outcome, Cancelled):
                self.failure = outcome


@contextlib.contextmanager
def open_endpoint(endpoint: Endpoint, *, unix: Path | None = None) -> Iterator[Endpoint]:
    """Serve until the block ends: on a unix socket, or on a free port of loopback."""
    handler = type("Handler", (_Handler,), {"endpoint": endpoint})
    server: socketserver.BaseServer
    if unix is not None:
        server = _UnixServer(str(unix), handler)
        unix.chmod(0o600)
    else:
        server = _TcpServer(("127.0.0.1", 0), handler)
        endpoint.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="model-endpoint", daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        if unix is not None:
            unix.unlink(missing_ok=True)


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


class _TcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


class _Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint
    timeout = IDLE_S

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        style, answers = PATHS.get(path, ("anthropic", anthropic_answers))
        if not self._is_ours():
            self._send(401, answers.error_body(401, "This is not the key of a run."))
            return
        if path not in (*PATHS, COUNTS):
            self._send(404, answers.error_body(404, "There is no such path here."))
            return
        try:
            body = self._body()
            request = read_request(style, body)
        except ValueError as error:
            self._send(400, answers.error_body(400, str(error)[:300]))
            return
        if path == COUNTS:
            self._send(200, {"input_tokens": estimate_tokens(request)})
            return
        number = self.endpoint.begin()
        if not number:
            self._send(429, answers.error_body(429, f"{MOST_AT_ONCE} requests are under way already."))
            return
        self._answer(_Asking(self.endpoint, request), answers, body, number)

    def _answer(self, asking: _Asking, answers: ModuleType, body: dict[str, Any], number: int) -> None:
        streams, model = bool(body.get("stream")), str(body.get("model") or "")[:120]
        has_begun = False
        waited_s = 0.0
        while not asking.is_done(LOOK_EVERY_S):
            waited_s += LOOK_EVERY_S
            if self._has_gone():
                asking.cancel.cancel("the program hung up")
                return
            if streams and waited_s >= COMMENT_EVERY_S:
                waited_s = 0.0
                has_begun = self._comment(has_begun)
        outcome = asking.outcome
        if isinstance(outcome, LLMError):
            status = next((status for kind, status in STATUSES if isinstance(outcome, kind)), 503)
            if has_begun:
                self._write(answers.error_frame(status, str(outcome)))
            else:
                self._send(status, answers.error_body(status, str(outcome)))
        elif streams:
            self._begin_stream(has_begun)
            self._write(b"".join(answers.frames(outcome.response, model=model, number=number)))
        else:
            self._send(200, answers.whole(outcome.response, model=model, number=number))

    def _is_ours(self) -> bool:
        given = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), self.endpoint.token.encode())

    def _body(self) -> dict[str, Any]:
        size = int(self.headers.get("content-length") or 0)
        if not 0 < size <= MOST_BYTES:
            raise ValueError("the body is missing or too long")
        body = json.loads(self.rfile.read(size))
        if not isinstance(body, dict):
            raise ValueError("the body is not an object")
        return body

    def _has_gone(self) -> bool:
        """Say whether the other side has hung up; a request is all that it sends."""
        ready, _, _ = select.select([self.connection], [], [], 0)
        return bool(ready)

    def _comment(self, has_begun: bool) -> bool:
        self._begin_stream(has_begun)
        self._write(b": a model is at work\n\n")
        return True

    def _begin_stream(self, has_begun: bool) -> None:
        if not has_begun:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("connection", "close")
        self.end_headers()
        self._write(content)

    def _write(self, content: bytes) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(content)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the ledger has a row for each request."""


class _Asking:
    """One request on its way to a model, in a thread of its own, so that who asks can be watched meanwhile."""

    def __init__(self, endpoint: Endpoint, request: ChatRequest) -> None:
        self._endpoint, self._request = endpoint, request
        self.cancel = CancelToken()
        self.outcome: CompletedCall | LLMError
        self._done = threading.Event()
        self._forget = endpoint.cancel.on_cancel(lambda: self.cancel.cancel("the run was stopped"))
        threading.Thread(target=self._ask, name="model-endpoint-ask", daemon=True).start()

    def is_done(self, within_s: float) -> bool:
        return self._done.wait(within_s)

    def _ask(self) -> None:
        outcome: CompletedCall | LLMError = LLMError("The model could not be asked.")
        try:
            outcome = complete(
                self._endpoint.context, self._request, on_event=lambda event: None, cancel=self.cancel
            )
        except LLMError as error:
            outcome = error
        finally:
            self._forget()
            self.outcome = outcome
            self._endpoint.ended(outcome)
            release_connection()
            self._done.set()
