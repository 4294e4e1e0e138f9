"""Ports inside walls that are joined with sockets outside."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.sandbox.child import Child
from agents.sandbox.command import Access, Command, Way
from agents.sandbox.drivers.base import Sandbox, python_paths
from agents.sandbox.launcher import spawn

WITHIN_S = 30.0
ECHO = """
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b"inside " + line)
socketserver.ThreadingTCPServer(("127.0.0.1", 4096), Echo).serve_forever()
"""


@contextmanager
def inside(walls: Sandbox, home: Path, script: str, *ways: Way) -> Iterator[Child]:
    access = Access(writable=(home,), readable=python_paths(), ways=ways)
    child = spawn(Command(argv=(sys.executable, "-I", "-c", script), cwd=home, access=access), walls)
    try:
        yield child
    finally:
        child.stop(grace_s=0)


def call(path: Path) -> socket.socket:
    """Connect to what is inside, as soon as it listens."""
    until = time.monotonic() + WITHIN_S
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(WITHIN_S)
        with contextlib.suppress(OSError):
            connection.connect(str(path))
            connection.sendall(b"ready?\n")
            if connection.recv(100):
                return connection
        connection.close()
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_listens_inside_is_reached_by_its_socket_alone(walls: Sandbox, home: Path) -> None:
    path = home / "in"
    with inside(walls, home, ECHO, Way(path, 4096, inward=True)):
        with call(path) as connection:
            connection.sendall(b"hello\n")
            assert connection.recv(100) == b"inside hello\n"
        assert said_outside(b"hello\n") != b"inside hello\n"


def said_outside(line: bytes) -> bytes:
    """Return what is answered at that port outside, nothing where nobody listens: something else of this machine may."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 4096), timeout=2) as outside:
        outside.sendall(line)
        return outside.recv(100)
    return b""


def test_who_does_not_read_holds_up_nobody_else(walls: Sandbox, home: Path) -> None:
    path = home / "in"
    with (
        inside(walls, home, ECHO, Way(path, 4096, inward=True)),
        call(path) as stalled,
        call(path) as lively,
    ):
        flood = threading.Thread(target=_flood, args=(stalled,), daemon=True)
        flood.start()
        time.sleep(0.3)
        lively.sendall(b"still there?\n")
        assert lively.recv(100) == b"inside still there?\n"


def _flood(connection: socket.socket) -> None:
    connection.settimeout(1)
    try:
        while True:
            connection.sendall(b"x" * 10_000 + b"\n")
    except OSError:
        return


def test_a_finished_half_leaves_the_other_open(walls: Sandbox, home: Path, tmp_path: Path) -> None:
    path = tmp_path.resolve() / "out"
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(WITHIN_S)
        script = (
            "import socket; c = socket.create_connection(('127.0.0.1', 5000)); c.sendall(b'all I say');"
            "c.shutdown(socket.SHUT_WR); print(c.makefile('rb').read().decode(), end='', flush=True)"
        )
        with inside(walls, home, script, Way(path, 5000)) as child:
            connection, _ = listener.accept()
            connection.settimeout(WITHIN_S)
            while piece := connection.recv(100):
                heard.append(piece)
            connection.sendall(b"the answer comes later")
            connection.close()
            assert child.stdout is not None
            assert child.wait(WITHIN_S)
            assert child.stdout.read(100) == b"the answer comes later"
    assert b"".join(heard) == b"all I say"
