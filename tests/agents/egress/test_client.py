from __future__ import annotations

import gzip
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler

import pytest

from agents.egress.checking import Checker
from agents.egress.client import fetch
from agents.egress.errors import Refused, Stopped, TimedOut, TooLarge, Unreachable
from agents.egress.limits import FetchLimits
from agents.egress.policy import Policy
from llm.types import CancelToken
from spacebot_site.bench.egress_attacks import REDIRECTED
from tests.agents.egress.site import Site, reaching


def test_it_fetches_by_name_from_the_checked_address_and_names_the_host() -> None:
    with Site({"/": (200, {}, b"hello")}) as site:
        checker = reaching(("site.com", site.port), site_com=["127.0.0.1"])
        found = fetch(f"http://site.com:{site.port}", checker=checker)
    assert (found.status, found.body) == (200, b"hello")
    assert site.asked[0][2]["host"] == f"site.com:{site.port}"


def test_redirects_are_followed_and_headers_stay_with_their_origin() -> None:
    with Site({"/end": (200, {}, b"end")}) as other, Site() as site:
        site.pages = {
            "/": (302, {"location": "/two"}, b""),
            "/two": (307, {"location": f"http://127.0.0.1:{other.port}/end"}, b""),
        }
        checker = reaching(("127.0.0.1", site.port), ("127.0.0.1", other.port))
        found = fetch(site.url, checker=checker, headers={"x-key": "secret"})
    assert (found.url, found.body) == (f"{other.url}/end", b"end")
    assert [headers.get("x-key") for _, _, headers in site.asked] == ["secret", "secret"]
    assert "x-key" not in other.asked[0][2]


@pytest.mark.parametrize("target", REDIRECTED)
def test_no_redirect_leads_to_a_private_place(target: str) -> None:
    with Site() as site:
        site.pages = {"/": (302, {"location": target.encode().decode("latin-1")}, b"")}
        with pytest.raises(Refused):
            fetch(site.url, checker=reaching(("127.0.0.1", site.port)))


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://x/", "//127.0.0.1:1/", "http://user@site.com/"]
)
def test_a_redirect_is_read_as_strictly_as_an_address(location: str) -> None:
    with Site({"/": (302, {"location": location}, b"")}) as site, pytest.raises(Refused):
        fetch(site.url, checker=reaching(("127.0.0.1", site.port)))


def test_redirects_end() -> None:
    with Site({"/": (302, {"location": "/"}, b"")}) as site, pytest.raises(Unreachable, match="more than 5"):
        fetch(site.url, checker=reaching(("127.0.0.1", site.port)))
    assert len(site.asked) == 6


def test_a_name_that_means_something_else_the_second_time_is_not_looked_up_twice() -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    with Site({"/": (200, {}, b"first")}) as site:
        policy = Policy(private=frozenset({("site.com", site.port)}))
        checker = Checker(policy, lambda host: answers.pop(0))
        assert fetch(f"http://site.com:{site.port}", checker=checker).body == b"first"
    assert len(answers) == 1


def test_a_name_that_was_public_is_refused_once_it_is_private() -> None:
    with Site({"/": (302, {"location": "/again", "connection": "close"}, b"")}) as site:
        answers = [["127.0.0.1"], ["169.254.169.254"]]
        policy = Policy(private=frozenset({("site.com", site.port)}))
        with pytest.raises(Refused, match="metadata"):
            fetch(f"http://site.com:{site.port}", checker=Checker(policy, lambda host: answers.pop(0)))
    assert site.paths() == ["/"]


def test_what_is_too_large_is_not_kept_packed_or_unpacked() -> None:
    limits = FetchLimits(body_bytes=100_000)
    bomb = gzip.compress(b"0" * 50_000_000)
    pages = {
        "/large": (200, {}, b"0" * 100_001),
        "/fits": (200, {}, b"0" * 100_000),
        "/bomb": (200, {"content-encoding": "gzip"}, bomb),
    }
    with Site(dict(pages)) as site:
        checker = reaching(("127.0.0.1", site.port))
        assert len(bomb) < 100_000
        for path in ("/large", "/bomb"):
            with pytest.raises(TooLarge):
                fetch(site.url + path, checker=checker, limits=limits)
        assert len(fetch(site.url + "/fits", checker=checker, limits=limits).body) == 100_000


def test_packed_bodies_are_unpacked_and_broken_ones_said() -> None:
    text = b"spacebot " * 1_000
    bare = zlib.compressobj(wbits=-15)
    pages = {
        "/gzip": (200, {"content-encoding": "gzip"}, gzip.compress(text)),
        "/zlib": (200, {"content-encoding": "deflate"}, zlib.compress(text)),
        "/bare": (200, {"content-encoding": "deflate"}, bare.compress(text) + bare.flush()),
        "/broken": (200, {"content-encoding": "gzip"}, b"no gzip"),
        "/other": (200, {"content-encoding": "br"}, b"x"),
    }
    with Site(dict(pages)) as site:
        checker = reaching(("127.0.0.1", site.port))
        for path in ("/gzip", "/zlib", "/bare"):
            assert fetch(site.url + path, checker=checker).body == text
        for path in ("/broken", "/other"):
            with pytest.raises(Unreachable):
                fetch(site.url + path, checker=checker)


def test_a_server_that_drips_ends_at_the_total_time() -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.05):
            handler.wfile.write(b"x: y\r\n")

    with Site({"/": drip}) as site:
        begun = time.monotonic()
        with pytest.raises(TimedOut, match=r"0\.4 s"):
            fetch(site.url, checker=reaching(("127.0.0.1", site.port)), limits=FetchLimits(total_s=0.4))
        assert time.monotonic() - begun < 30
        over.set()


def test_cancelling_stops_a_fetch_at_once() -> None:
    asked, over = threading.Event(), threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        over.wait(60)

    with Site({"/": hang}) as site:
        cancel = CancelToken()
        threading.Thread(target=lambda: (asked.wait(30), cancel.cancel("stop")), daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(Stopped):
            fetch(site.url, checker=reaching(("127.0.0.1", site.port)), cancel=cancel)
        assert time.monotonic() - begun < 40
        over.set()


def test_cancelling_does_not_wait_for_a_look_up() -> None:
    looking, over = threading.Event(), threading.Event()

    def resolve(host: str) -> list[str]:
        looking.set()
        over.wait(60)
        return ["93.184.215.14"]

    cancel = CancelToken()
    threading.Thread(target=lambda: (looking.wait(30), cancel.cancel("stop")), daemon=True).start()
    with pytest.raises(Stopped):
        fetch("http://site.com/", checker=Checker(Policy(), resolve), cancel=cancel)
    over.set()


def test_connections_are_kept_for_the_same_policy_only() -> None:
    clients = []

    def who(handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        clients.append(handler.client_address)
        return 200, {}, b"ok"

    with Site({"/": who}) as site:
        mine = reaching(("127.0.0.1", site.port))
        fetch(site.url, checker=mine)
        fetch(site.url, checker=mine)
        fetch(
            site.url,
            checker=Checker(Policy(private=frozenset({("127.0.0.1", site.port), ("x", 1)})), mine.resolve),
        )
    assert len(set(clients)) == 2


def test_a_kept_connection_does_not_outlive_the_right_to_use_it() -> None:
    with Site({"/": (200, {}, b"ok")}) as site:
        checker = reaching(("127.0.0.1", site.port))
        fetch(site.url, checker=checker)
        with pytest.raises(Refused):
            fetch(site.url, checker=Checker(Policy(), checker.resolve))


def test_nothing_there_and_nonsense_are_told_apart_from_refusals() -> None:
    def nonsense(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    with Site({"/": nonsense}) as site:
        checker = reaching(("127.0.0.1", site.port), ("gone.com", 80))
        with pytest.raises(Unreachable):
            fetch(site.url, checker=checker)
        with pytest.raises(Unreachable, match="no host"):
            fetch("http://gone.com/", checker=checker)
