"""Runs first inside walls that have ways: joins loopback ports in here with unix sockets that both sides can see.

Started as `python -I -S forward.py WAY… -- COMMAND…`, a way being `out:PORT:SOCKET` (whoever connects to the port speaks with who
listens at the socket) or `in:PORT:SOCKET` (the other way round). The command takes this process over; the forwarding goes on in a
child of it, and ends with the walls. It decides nothing: who listens does.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
PIECE_BYTES = 65_536
MOST_CONNECTIONS = 200


def main(ways: list[str], command: list[str]) -> None:
    listeners = [_listen(*way.split(":", 2)) for way in ways]
    if os.fork() == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        _close_all_but({0, 1, 2, *(listener.fileno() for listener, _ in listeners)})
        Forwarder(dict(listeners)).forward()
    for listener, _ in listeners:
        listener.close()
    try:
        os.execvp(command[0], command)  # noqa: S606 -- the command that walls stand around
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127)


def _close_all_but(kept: set[int]) -> None:
    """Let go of what is the command's alone: its end must be seen at the other side."""
    for descriptor in set(map(int, os.listdir("/proc/self/fd"))) - kept:
        try:
            os.close(descriptor)
        except OSError:
            continue  # It was the listing's own.


def _listen(kind: str, port: str, path: str) -> tuple[socket.socket, str | tuple[str, int]]:
    """Return a listener and where its connections lead."""
    here = ("127.0.0.1", int(port))
    if kind == "out":
        return socket.create_server(here, backlog=64), path
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    return listener, here


class End:
    """One end of a connection: what waits to be sent to it, and whether its other end has finished."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.pending = b""
        self.has_finished = False
        self.other = self

    @property
    def wanted(self) -> int:
        reads = READ if not self.has_finished and len(self.other.pending) < PIECE_BYTES else 0
        return reads | (WRITE if self.pending else 0)


class Forwarder:
    """Passes bytes both ways for every connection; one that does not read holds up nobody else."""

    def __init__(self, listeners: dict[socket.socket, str | tuple[str, int]]) -> None:
        self.waiting = selectors.DefaultSelector()
        self.count = 0
        for listener, target in listeners.items():
            self.waiting.register(listener, READ, target)

    def forward(self) -> None:
        """Go on until killed."""
        while True:
            for key, mask in self.waiting.select():
                if not isinstance(key.data, End):
                    self._accept(key.fileobj, key.data)  # type: ignore[arg-type]
                elif key.data.connection.fileno() >= 0:
                    self._pass(key.data, mask)

    def _accept(self, listener: socket.socket, target: str | tuple[str, int]) -> None:
        near, _address = listener.accept()
        far = socket.socket(socket.AF_UNIX if isinstance(target, str) else socket.AF_INET)
        try:
            if self.count >= MOST_CONNECTIONS:
                raise OSError
            far.connect(target)
        except OSError:
            near.close()
            far.close()
            return
        self.count += 1
        one, other = End(near), End(far)
        one.other, other.other = other, one
        for end in (one, other):
            end.connection.setblocking(False)
            self.waiting.register(end.connection, READ, end)

    def _pass(self, end: End, mask: int) -> None:
        try:
            if mask & WRITE and end.pending:
                end.pending = end.pending[end.connection.send(end.pending) :]
            if mask & READ and not end.has_finished:
                piece = end.connection.recv(PIECE_BYTES)
                end.has_finished = not piece
                end.other.pending += piece
        except BlockingIOError:
            return
        except OSError:
            self._close(end)
            return
        self._settle(end)

    def _settle(self, end: End) -> None:
        """Tell an end that the other has finished, close what both have, and wait for what is wanted now."""
        ends = (end, end.other)
        for each in ends:
            if each.has_finished and not each.other.pending:
                try:
                    each.other.connection.shutdown(socket.SHUT_WR)
                except OSError:
                    continue
        if all(each.has_finished and not each.other.pending for each in ends):
            self._close(end)
            return
        for each in ends:
            registered = each.connection in self.waiting.get_map()
            if each.wanted and registered:
                self.waiting.modify(each.connection, each.wanted, each)
            elif each.wanted:
                self.waiting.register(each.connection, each.wanted, each)
            elif registered:
                self.waiting.unregister(each.connection)

    def _close(self, end: End) -> None:
        self.count -= 1
        for each in (end, end.other):
            if each.connection in self.waiting.get_map():
                self.waiting.unregister(each.connection)
            each.connection.close()


if __name__ == "__main__":
    split = sys.argv.index("--")
    main(sys.argv[1:split], sys.argv[split + 1 :])
