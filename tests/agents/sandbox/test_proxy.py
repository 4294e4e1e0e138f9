from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.sandbox.command import Access, Proxy
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.errors import CannotStart
from agents.sandbox.launcher import run
from tests.agents.sandbox.conftest import line

ASK = "echo \"$http_proxy\"; bash -c 'exec 3<>/dev/tcp/127.0.0.1/3128; echo hello >&3; head -n 1 <&3'"


class Answer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"heard " + self.rfile.readline())


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path.resolve() / "way-out"
    with socketserver.ThreadingUnixStreamServer(str(path), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_a_command_reaches_the_proxy_and_nothing_else(walls: Sandbox, home: Path, proxy: Path) -> None:
    access = Access(writable=(home,), proxy=Proxy(proxy, "run7:secret"))
    done = run(line(ASK, home, access=access), walls, timeout_s=20)
    assert done.stdout == b"http://run7:secret@127.0.0.1:3128\nheard hello\n", done.stderr
    done = run(line("cat /proc/net/dev | grep -c :", home, access=access), walls, timeout_s=20)
    assert done.stdout == b"1\n"


def test_without_a_proxy_nothing_stands_there(walls: Sandbox, home: Path) -> None:
    done = run(line(ASK, home), walls, timeout_s=20)
    assert done.stdout == b"\n"


def test_a_proxy_that_does_not_listen_is_an_error(walls: Sandbox, home: Path) -> None:
    access = Access(writable=(home,), proxy=Proxy(home / "nothing"))
    with pytest.raises(CannotStart, match="proxy"):
        run(line("true", home, access=access), walls, timeout_s=5)


def test_without_walls_a_proxy_is_refused(home: Path, proxy: Path) -> None:
    with pytest.raises(CannotStart, match="without walls"):
        run(line("true", home, access=Access(proxy=Proxy(proxy))), DRIVERS["none"], timeout_s=5)
