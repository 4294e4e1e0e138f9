"""Attack classes of the way out, for `bench walls`: each tries to reach a trap on loopback, and says what got through.

They need no rows and no model: what is attacked is the client, the proxy and the browser themselves.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from agents.egress.checking import Checker
from agents.egress.client import fetch
from agents.egress.errors import EgressError
from agents.egress.fake_server import FakeServer, Handler
from agents.egress.names import read_url
from agents.egress.policy import OPEN, WEB_PORTS, Policy
from agents.egress.proxy import FilterProxy, open_proxy
from spacebot_site.bench.egress_attacks import REDIRECTED, SPELLINGS

PAGE_WITHIN_S, CLICKS_S = 60.0, 1.5


@dataclass
class Tally:
    """How much was tried, and what got through; `held` is the rest."""

    tried: int = 0
    failed: list[str] = field(default_factory=list)


class Trap(FakeServer):
    """A server on loopback that nobody may reach; `pages` are answered with a status, a location and a body."""

    def __init__(self, pages: dict[str, tuple[int, str, bytes]] | None = None) -> None:
        self.pages, self.asked, self.paths = pages or {}, 0, set[str]()

    def handler(self) -> type[Handler]:
        trap = self

        class Answer(Handler):
            def do_GET(self) -> None:
                trap.asked += 1
                trap.paths.add(self.path)
                status, location, body = trap.pages.get(self.path.partition("?")[0], (200, "", b"inner"))
                headers = {"content-type": "text/html", "access-control-allow-origin": "*"}
                self.send(status, headers | ({"location": location} if location else {}), body)

            do_POST = do_GET

        return Answer

    def ports(self) -> Iterable[int]:
        """A port of the web where one is free, so that the port alone does not refuse."""
        return (*sorted(port for port in WEB_PORTS if port > 1_024), 0)


def loopback(host: str) -> list[str]:
    return ["127.0.0.1"]


def spellings() -> Tally:
    """Every spelling of a private place, to the client."""
    tally = Tally()
    for url in SPELLINGS:
        tally.tried += 1
        try:
            target = read_url(url)
            Checker(OPEN, loopback).addresses(target.host, target.port)
        except EgressError:
            continue
        tally.failed.append(url)
    return tally


def redirects() -> Tally:
    """A page that may be read sends the client on to each private place."""
    tally = Tally()
    with Trap() as site:
        checker = Checker(Policy(private=frozenset({("127.0.0.1", site.port)})), loopback)
        for url in REDIRECTED:
            tally.tried += 1
            site.pages = {"/": (302, url.encode().decode("latin-1"), b"")}
            with contextlib.suppress(EgressError):
                found = fetch(f"http://127.0.0.1:{site.port}/", checker=checker)
                tally.failed.append(f"{url} → {found.url}")
    return tally


def rebinding() -> Tally:
    """Names that are public when checked and private a moment later, and names with one private address among others."""
    tally = Tally()
    with Trap() as trap:
        for answers in (
            ["93.184.215.14", "127.0.0.1"],
            ["127.0.0.1", "93.184.215.14"],
            ["::ffff:127.0.0.1"],
            ["::1"],
        ):
            tally.tried += 1
            checker = Checker(OPEN, lambda host, found=tuple(answers): list(found))  # type: ignore[misc]
            with contextlib.suppress(EgressError):
                fetch(f"http://site.com:{trap.port}/", checker=checker)
        for flips in range(1, 6):
            tally.tried += 1
            said = iter([*(["10.0.0.1"] for _ in range(flips)), *(["127.0.0.1"] for _ in range(20))])
            flipping = Checker(OPEN, lambda host, said=said: next(said))  # type: ignore[misc]
            for _ in range(8):
                with contextlib.suppress(EgressError):
                    fetch(f"http://site.com:{trap.port}/", checker=flipping)
        if trap.asked:
            tally.failed.append(f"the trap was asked {trap.asked} times")
    return tally


def through_the_proxy() -> Tally:
    """Every place as a plain request and as a tunnel, a tunnel that speaks to another host, and a second request."""
    tally = Tally()
    with Trap() as trap, open_proxy(Checker(OPEN, loopback)) as proxy:
        for url in REDIRECTED:
            host = url.removeprefix("http://").rstrip("/").encode().decode("latin-1")
            for first in (f"GET http://{host}:{trap.port}/ HTTP/1.1", f"CONNECT {host}:{trap.port} HTTP/1.1"):
                tally.tried += 1
                if b" 200 " in _ask(proxy, first).partition(b"\r\n")[0]:
                    tally.failed.append(first)
        for first in (
            "CONNECT site.com:443 HTTP/1.1\r\nHost: other.com",
            "GET http://site.com@127.0.0.1/ HTTP/1.1",
        ):
            tally.tried += 1
            if b" 200 " in _ask(proxy, first).partition(b"\r\n")[0]:
                tally.failed.append(first)
        if trap.asked:
            tally.failed.append(f"the trap was asked {trap.asked} times")
    return tally


def pages() -> Tally:
    """A page in a real browser tries everything a page can: fetch, frames, pictures, sockets, beacons, redirects, downloads."""
    from agents.browser import acts
    from agents.browser.errors import BrowserError
    from agents.browser.loop import drive
    from agents.browser.session import Session

    tally = Tally()
    with Trap() as trap, Trap() as site:
        hosts = (
            "127.0.0.1",
            "localhost",
            "0x7f.1",
            "2130706433",
            "[::ffff:127.0.0.1]",
            "127.1",
            "trap.site.com",
        )
        places = [f"{host}:{trap.port}" for host in hosts]
        tally.tried = len(places) * 7 + 1
        site.pages = {"/": (200, "", _page(places)), "/go": (302, f"http://127.0.0.1:{trap.port}/", b"")}
        session = Session(Checker(Policy(private=frozenset({("127.0.0.1", site.port)})), loopback))
        session.start()
        try:
            for path in ("/", "/go"):
                with contextlib.suppress(BrowserError):
                    address = f"http://127.0.0.1:{site.port}{path}"
                    drive(acts.navigate(session, address, new_tab=False), timeout_s=60)
                if path == "/" and not _settled(site):
                    tally.failed.append("the page did not come to its end, so not all was tried")
        finally:
            session.close()
        if trap.asked:
            tally.failed.append(f"the trap was asked {trap.asked} times")
    return tally


def _settled(site: Trap) -> bool:
    """Wait until the page has told its own site that all was tried, and for what its last clicks begin."""
    until = time.monotonic() + PAGE_WITHIN_S
    while "/done" not in site.paths and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(CLICKS_S)
    return "/done" in site.paths


def _page(places: list[str]) -> bytes:
    # A link that is no download, as elsewhere's are not, takes the page away: the clicks come last.
    script = """const all = [], links = [];
    for (const place of %s) {
      const url = 'http://' + place + '/';
      all.push(fetch(url, {mode: 'no-cors'}), fetch(url, {method: 'POST', mode: 'no-cors', body: 'x'}));
      navigator.sendBeacon(url, 'x');
      new WebSocket('ws://' + place + '/');
      for (const [tag, field] of [['img', 'src'], ['iframe', 'src'], ['a', 'href']]) {
        const each = document.createElement(tag);
        each[field] = url;
        if (tag == 'a') { each.download = 'x'; }
        document.body.append(each);
        if (tag == 'a') links.push(each);
      }
    }
    Promise.allSettled(all).then(() => fetch('/done')).then(() => links.forEach(each => each.click()));"""
    listed = "[" + ", ".join(f"'{place}'" for place in places) + "]"
    return f"<body><script>{script.replace('%s', listed)}</script>".encode()


def _ask(proxy: FilterProxy, first: str) -> bytes:
    from base64 import b64encode

    credential = b64encode(f"run:{proxy.password}".encode()).decode()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=15) as client:
        client.sendall(f"{first}\r\nProxy-Authorization: Basic {credential}\r\n\r\n".encode("latin-1"))
        with contextlib.suppress(OSError):
            return client.recv(65_536)
    return b""


CLASSES: dict[str, Callable[[], Tally]] = {
    "ssrf: spellings": spellings,
    "ssrf: redirects": redirects,
    "ssrf: rebinding": rebinding,
    "ssrf: proxy": through_the_proxy,
    "ssrf: pages": pages,
}
