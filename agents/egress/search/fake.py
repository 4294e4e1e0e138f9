"""Search servers on loopback that speak the vendors' wire formats, for tests and for trying out.

with FakeSearch(rows) as fake:
    ... settings.SPACEBOT_SEARXNG_URL = fake.url
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass
class FakeSearch:
    """`rows` have title, url and text. `status` other than 200 is answered with `headers`; `asked` keeps what came in."""

    rows: list[dict[str, str]] = field(default_factory=list)
    key: str = "key"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = fake.answer(self.path, dict(self.headers.items()))
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**fake.headers, "content-type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(path)
        sent = {name.lower(): value for name, value in headers.items()}
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(asked)
        if self.status != 200:
            return self.status, {"error": {"code": "REFUSED"}}
        if parts.path == "/res/v1/web/search":
            if sent.get("x-subscription-token") != self.key:
                return 401, {"error": {"code": "SUBSCRIPTION_TOKEN_INVALID"}}
            rows = [{"title": r["title"], "url": r["url"], "description": r["text"]} for r in self.rows]
            return 200, {"type": "search", "web": {"type": "search", "results": rows[: int(asked["count"])]}}
        if parts.path == "/search" and asked.get("format") == "json":
            rows = [{"title": r["title"], "url": r["url"], "content": r["text"]} for r in self.rows]
            return 200, {"query": asked["q"], "results": rows}
        return 404, {}
