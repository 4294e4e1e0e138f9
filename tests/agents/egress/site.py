"""A web site on loopback, and a resolver that leads its names there."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from agents.egress.checking import Checker
from agents.egress.fake_server import FakeServer, Handler
from agents.egress.policy import Policy

Answer = tuple[int, dict[str, str], bytes]
Page = Answer | Callable[[BaseHTTPRequestHandler], Answer | None]


class Site(FakeServer):
    """`pages` by path; a function may answer itself and return None. `asked` keeps method, path and headers."""

    def __init__(self, pages: dict[str, Page] | None = None) -> None:
        self.pages = pages or {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def handler(self) -> type[Handler]:
        site = self

        class Answering(Handler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                self.sent = self.rfile.read(size)
                site.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                page = site.pages.get(self.path.partition("?")[0], (404, {}, b"nothing here"))
                answer = page(self) if callable(page) else page
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send(status, {"content-type": "text/html; charset=utf-8", **headers}, body)

            do_POST = do_GET
            do_HEAD = do_GET

        return Answering

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]


def reaching(*places: tuple[str, int], **names: list[str]) -> Checker:
    """Return a checker that may reach these private places, and for which names mean what is said here."""
    known = {name.replace("_", "."): addresses for name, addresses in names.items()}

    def resolve(host: str) -> list[str]:
        if host not in known:
            raise OSError(f"no name {host}")
        return known[host]

    return Checker(Policy(private=frozenset(places)), resolve)
