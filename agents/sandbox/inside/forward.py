"""Runs first inside walls that have a way out: stands on a loopback port and passes every connection to the proxy's socket.

Started as `python -I -S forward.py SOCKET PORT COMMAND…`. The command takes this process over; the forwarding goes on in a child
of it, and ends with the walls. It decides nothing: the proxy does.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys

PIECE_BYTES = 65_536
MOST_CONNECTIONS = 200


def main(path: str, port: int, command: list[str]) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    if os.fork() == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        forward(listener, path)
    listener.close()
    try:
        os.execvp(command[0], command)  # noqa: S606 -- the command that walls stand around
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127)


def forward(listener: socket.socket, path: str) -> None:
    """Pass bytes both ways for every connection, until killed."""
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    partners: dict[socket.socket, socket.socket] = {}
    while True:
        for key, _ in waiting.select():
            if key.fileobj is listener:
                near, _address = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                try:
                    if len(partners) >= MOST_CONNECTIONS * 2:
                        raise OSError
                    far.connect(path)
                except OSError:
                    near.close()
                    far.close()
                    continue
                partners[near], partners[far] = far, near
                waiting.register(near, selectors.EVENT_READ)
                waiting.register(far, selectors.EVENT_READ)
                continue
            source = key.fileobj
            if (
                not isinstance(source, socket.socket)
                or source not in partners
                or _pass(source, partners[source])
            ):
                continue
            for each in (source, partners.pop(source)):
                partners.pop(each, None)
                waiting.unregister(each)
                each.close()


def _pass(source: socket.socket, target: socket.socket) -> bool:
    """Pass one piece; False when the connection is over."""
    try:
        piece = source.recv(PIECE_BYTES)
        target.sendall(piece)
    except OSError:
        return False
    return bool(piece)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
