"""Search servers on loopback that speak the vendors' wire formats, for tests and for trying out.

with FakeSearch(rows) as fake:
    ... settings.SPACEBOT_SEARXNG_URL = fake.url
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from agents.egress.fake_server import FakeServer, Handler


@dataclass
class FakeSearch(FakeServer):
    """`rows` have title, url and text. `status` other than 200 is answered with `headers`; `asked` keeps what came in."""

    rows: list[dict[str, str]] = field(default_factory=list)
    key: str = "key"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def handler(self) -> type[Handler]:
        fake = self

        class Search(Handler):
            def do_GET(self) -> None:
                status, body = fake.answer(self.path, dict(self.headers.items()))
                headers = {**fake.headers, "content-type": "application/json"}
                self.send(status, headers, json.dumps(body).encode())

        return Search

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
