"""A web server on loopback: what fakes, benchmarks and tests of the way out stand on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Handler(BaseHTTPRequestHandler):
    """Says nothing of what it is asked."""

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer whole, with the length of the body beside the headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error here."""


class FakeServer:
    """Subclasses return their handler from `handler`; it serves while the block lasts, on the first of `ports` that is free."""

    port = 0

    def handler(self) -> type[Handler]:
        raise NotImplementedError

    def ports(self) -> Iterable[int]:
        return (0,)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.server = _bound(self.handler(), self.ports())
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def _bound(handler: type[Handler], ports: Iterable[int]) -> _Server:
    for port in ports:
        with contextlib.suppress(OSError):
            return _Server(("127.0.0.1", port), handler)
    raise OSError("no port is free")
