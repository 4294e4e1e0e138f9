from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from agents.egress.checking import Checker
from agents.egress.policy import Policy
from agents.egress.proxy import FilterProxy, ProxyLimits, open_proxy
from spacebot_site.bench.egress_attacks import REDIRECTED
from tests.agents.egress.site import Site, reaching


class Client:
    """A client of the proxy that says exactly what it is told to."""

    def __init__(self, proxy: FilterProxy, *, password: str | None = None, unix: Path | None = None) -> None:
        self.socket = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        self.socket.settimeout(30)
        self.socket.connect(str(unix) if unix else ("127.0.0.1", proxy.port))
        given = b64encode(f"run:{proxy.password if password is None else password}".encode()).decode()
        self.credential = "" if unix else f"Proxy-Authorization: Basic {given}\r\n"

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode("latin-1"))

    def ask(self, first: str, *headers: str) -> bytes:
        self.say("\r\n".join([first, *headers]) + "\r\n" + self.credential + "\r\n")
        return self.rest()

    def connect(self, place: str) -> bytes:
        self.say(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{self.credential}\r\n")
        return self.socket.recv(4096)

    def rest(self) -> bytes:
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65_536):
                data += piece
        self.socket.close()
        return data


@pytest.fixture
def site() -> Iterator[Site]:
    with Site({"/": (200, {}, b"hello")}) as site:
        yield site


@pytest.fixture
def proxy(site: Site) -> Iterator[FilterProxy]:
    checker = reaching(("site.com", site.port), ("127.0.0.1", site.port), site_com=["127.0.0.1"])
    with open_proxy(checker) as proxy:
        yield proxy


def test_plain_requests_pass_without_the_proxys_own_headers(site: Site, proxy: FilterProxy) -> None:
    answer = Client(proxy).ask(
        f"GET http://site.com:{site.port}/ HTTP/1.1",
        "Host: other.com",
        "Proxy-Connection: keep-alive",
        "X-Mine: 1",
    )
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"hello")
    assert b"Connection: close" in answer
    headers = site.asked[0][2]
    assert headers["host"] == f"site.com:{site.port}"
    assert headers["x-mine"] == "1"
    assert not {"proxy-authorization", "proxy-connection"} & set(headers)


def test_bodies_pass_both_ways(proxy: FilterProxy, site: Site) -> None:
    site.pages["/echo"] = lambda handler: (200, {}, handler.sent)  # type: ignore[attr-defined]
    client = Client(proxy)
    client.say(
        f"POST http://site.com:{site.port}/echo HTTP/1.1\r\nContent-Length: 5\r\n{client.credential}\r\nabcde"
    )
    assert client.rest().endswith(b"abcde")


def test_tunnels_pass_what_speaks_to_the_host_they_were_opened_to(site: Site, proxy: FilterProxy) -> None:
    client = Client(proxy)
    assert b" 200 " in client.connect(f"site.com:{site.port}")
    client.say(f"GET / HTTP/1.1\r\nHost: site.com:{site.port}\r\nConnection: close\r\n\r\n")
    assert client.rest().endswith(b"hello")


@pytest.mark.parametrize(
    "said",
    ["GET / HTTP/1.1\r\nHost: other.com\r\n\r\n", "GET / HTTP/1.1\r\nHost: site.com\r\nHost: other.com\r\n\r\n",
     "SSH-2.0-x\r\n\r\n", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "*1\r\n$4\r\nPING\r\n\r\n", "HELO x\r\n\r\n"],
)  # fmt: skip
def test_a_tunnel_that_speaks_to_another_host_or_another_protocol_is_closed(
    site: Site, proxy: FilterProxy, said: str
) -> None:
    client = Client(proxy)
    client.connect(f"site.com:{site.port}")
    client.say(said)
    assert client.rest() == b""
    assert site.asked == []
    assert len(proxy.take_refusals()) == 1


@pytest.mark.parametrize(("name", "passes"), [("site.com", True), ("other.com", False), ("", False)])
def test_the_name_in_a_tls_greeting_must_be_the_tunnels(name: str, passes: bool) -> None:
    heard = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        connection, _ = listener.accept()
        with connection:
            if connection.recv(10):
                heard.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    with open_proxy(reaching(("site.com", port), site_com=["127.0.0.1"])) as proxy:
        client = Client(proxy)
        assert b" 200 " in client.connect(f"site.com:{port}")
        context = ssl.create_default_context()
        context.check_hostname = False
        with contextlib.suppress(OSError):
            context.wrap_socket(client.socket, server_hostname=name or None)
        thread.join(30)
        assert heard.is_set() == passes
        assert bool(proxy.take_refusals()) != passes
    listener.close()


def test_without_the_runs_password_nothing_passes(site: Site, proxy: FilterProxy) -> None:
    for password in ("", "wrong", proxy.password + "x"):
        answer = Client(proxy, password=password).ask(f"GET {site.url}/ HTTP/1.1")
        assert answer.startswith(b"HTTP/1.1 407")
        assert b"Proxy-Authenticate: Basic" in answer
    assert site.asked == []


def test_a_unix_socket_is_only_its_owners_and_goes_with_the_proxy(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    with open_proxy(reaching(("127.0.0.1", site.port)), unix=path) as proxy:
        assert path.stat().st_mode & 0o777 == 0o600
        assert Client(proxy, unix=path).ask(f"GET {site.url}/ HTTP/1.1").endswith(b"hello")
    assert not path.exists()


@pytest.mark.parametrize("url", REDIRECTED)
def test_no_private_place_is_reached_through_it(url: str) -> None:
    with open_proxy(Checker(Policy(), lambda host: ["127.0.0.1"])) as proxy:
        place = url.removeprefix("http://").rstrip("/").encode().decode("latin-1")
        for first in (f"GET {url.encode().decode('latin-1')} HTTP/1.1", f"CONNECT {place}:80 HTTP/1.1"):
            status = Client(proxy).ask(first).split(b" ")[1]
            assert status in (b"403", b"400")


def test_what_was_refused_is_counted_with_its_reason() -> None:
    with open_proxy(Checker(Policy(), lambda host: ["10.0.0.7"])) as proxy:
        for _ in range(3):
            assert b"403" in Client(proxy).ask("CONNECT site.com:443 HTTP/1.1")
        [(refused, times)] = proxy.take_refusals()
        assert (refused.host, refused.port, times) == ("site.com", 443, 3)
        assert refused.reason == "it leads to 10.0.0.7, which is a private address"
        assert proxy.take_refusals() == []


def test_a_name_that_turns_private_between_connections_is_refused_then(site: Site) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    policy = Policy(private=frozenset({("site.com", site.port)}))
    with open_proxy(Checker(policy, lambda host: answers.pop(0))) as proxy:
        first = f"GET http://site.com:{site.port}/ HTTP/1.1"
        assert Client(proxy).ask(first).endswith(b"hello")
        assert b"403" in Client(proxy).ask(first)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "first",
    ["GET / HTTP/1.1", "GET https://site.com/ HTTP/1.1", "CONNECT site.com HTTP/1.1", "CONNECT u@site.com:443 HTTP/1.1",
     "GET ftp://site.com/ HTTP/1.1", "GET http://u:p@site.com/ HTTP/1.1", "nonsense", "PRI * HTTP/2.0",
     "GET http://site.com/ HTTP/1.1\nHost: x", "GET http://site.com/ HTTP/1.1\r\n folded: x",
     "GET http://site.com/ HTTP/1.1\r\nA b: x"],
)  # fmt: skip
def test_what_is_malformed_goes_nowhere(proxy: FilterProxy, site: Site, first: str) -> None:
    assert Client(proxy).ask(first).split(b" ")[1] in (b"400", b"403")
    assert site.asked == []


def test_a_second_request_on_one_connection_goes_nowhere_else(proxy: FilterProxy, site: Site) -> None:
    with Site({"/": (200, {}, b"inner")}) as inner:
        client = Client(proxy)
        client.say(
            f"GET {site.url}/ HTTP/1.1\r\n{client.credential}\r\nGET {inner.url}/ HTTP/1.1\r\n{client.credential}\r\n"
        )
        assert client.rest().endswith(b"hello")
        assert inner.asked == []


def test_a_run_that_has_moved_its_bytes_moves_no_more(site: Site) -> None:
    site.pages["/large"] = (200, {}, b"0" * 300_000)
    checker = reaching(("127.0.0.1", site.port))
    with open_proxy(checker, limits=ProxyLimits(total_bytes=100_000)) as proxy:
        assert len(Client(proxy).ask(f"GET {site.url}/large HTTP/1.1")) < 200_000
        assert b"403" in Client(proxy).ask(f"GET {site.url}/ HTTP/1.1")


def test_silence_ends_a_connection(site: Site) -> None:
    over = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        over.wait(60)

    site.pages["/hang"] = hang
    checker = reaching(("127.0.0.1", site.port))
    with open_proxy(checker, limits=ProxyLimits(head_s=0.2, idle_s=0.2)) as proxy:
        begun = time.monotonic()
        assert Client(proxy).rest() == b""
        Client(proxy).ask(f"GET {site.url}/hang HTTP/1.1")
        assert time.monotonic() - begun < 30
    over.set()


def test_too_many_connections_are_turned_away(site: Site) -> None:
    with open_proxy(reaching(("127.0.0.1", site.port)), limits=ProxyLimits(connections=2)) as proxy:
        waiting = [Client(proxy) for _ in range(2)]
        for client in waiting:
            client.say("GET ")
        answers = [Client(proxy).ask(f"GET {site.url}/ HTTP/1.1")]
        assert answers[0].startswith(b"HTTP/1.1 503")
        for client in waiting:
            client.socket.close()


def test_closing_the_proxy_closes_what_goes_through_it(site: Site) -> None:
    with open_proxy(reaching(("127.0.0.1", site.port))) as proxy:
        client = Client(proxy)
        client.connect(f"127.0.0.1:{site.port}")
    assert client.rest() == b""
    with socket.socket() as late, pytest.raises(OSError):
        late.connect(("127.0.0.1", proxy.port))
