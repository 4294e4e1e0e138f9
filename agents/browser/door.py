"""Where Playwright's start of a browser becomes ours: it starts `handing.py`, and the launcher starts the browser.

Playwright starts its own child and speaks with it over pipes 3 and 4. That child hands everything over to a socket here,
so that a browser stands in the same walls and limits as every command, and ends when any of the three of us does.
"""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from agents.browser import handing
from agents.sandbox.child import Child
from agents.sandbox.command import Command
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.errors import SandboxError
from agents.sandbox.launcher import spawn

HAND_OVER_S = 10.0
MOST_BYTES = 1_000_000
CLOSE_S = 10.0

CommandOf = Callable[[tuple[str, ...]], Command]


class Door:
    """`program` is what Playwright is to start. `failure` says why the browser did not start, `limit` which limit it broke."""

    def __init__(self, folder: Path, sandbox: Sandbox, command_of: CommandOf) -> None:
        self.program = folder / "browser"
        self.failure = self.limit = ""
        self._sandbox, self._command_of = sandbox, command_of
        self._child: Child | None = None
        self._is_closed = False
        self._ended = threading.Event()
        path = folder / "door"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        handed = shlex.join([sys.executable, "-I", "-S", handing.__file__, str(path)])
        self.program.write_text(f'#!/bin/sh\nexec {handed} "$@"\n')
        self.program.chmod(0o700)
        self._thread = threading.Thread(target=self._wait, name="browser-door", daemon=True)
        self._thread.start()

    def limit_within(self, seconds: float) -> str:
        """Return the limit that the browser broke, once it has ended; nothing where it broke none or goes on."""
        self._ended.wait(seconds)
        return self.limit

    def close(self) -> None:
        """End the browser and let nobody in any more."""
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if (child := self._child) is not None:
            child.kill()
        self._thread.join(CLOSE_S)
        self._listener.close()

    def _wait(self) -> None:
        """Take one start after the other: Playwright begins anew where its own process has died."""
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                line.settimeout(HAND_OVER_S)
                self._start(line)

    def _start(self, line: socket.socket) -> None:
        self.failure = self.limit = ""
        self._ended.clear()
        size, handed, _, _ = socket.recv_fds(line, 4, len(handing.DESCRIPTORS))
        try:
            if len(handed) != len(handing.DESCRIPTORS):
                raise ValueError("the browser's start was broken off")
            command = self._command_of(_arguments(line, int.from_bytes(size, "big")))
            self._child = spawn(command, self._sandbox, descriptors=tuple(handed))
        except (SandboxError, OSError, ValueError) as error:
            self.failure = str(error)
            return
        finally:
            for descriptor in handed:
                os.close(descriptor)
        with self._child as child:
            if self._is_closed:
                return
            _wait_for_either(child, line)
            if child.poll():
                self.limit = child.limit
                self._ended.set()
                line.sendall(bytes([abs(child.exit_code or 0) % 256]))


def _wait_for_either(child: Child, line: socket.socket) -> None:
    waiting = select.poll()
    for each in (child, line):
        waiting.register(each, select.POLLIN)
    waiting.poll()


def _arguments(line: socket.socket, size: int) -> tuple[str, ...]:
    if size > MOST_BYTES:
        raise ValueError("the browser's arguments are too long")
    with line.makefile("rb") as handed:
        data = handed.read(size)
    if len(data) < size:
        raise ValueError("the browser's start was broken off")
    return tuple(data.decode().split("\0"))
