"""Runs inside the browser's walls: stands on a loopback port and passes every connection to the proxy's socket.

    python relay.py SOCKET PORT PROGRAM ARGUMENT...

Knows nothing but Python itself. The program takes this process's place; the relay lives in its child and ends with the walls.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

PIECE_BYTES = 65_536
BROWSERS_PIPES = (3, 4)


def main() -> None:
    path, port, program, *arguments = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=128)
    if os.fork() == 0:
        for descriptor in BROWSERS_PIPES:
            try:
                os.close(descriptor)
            except OSError:
                continue
        relay(listener, path)
    listener.close()
    os.execv(program, [program, *arguments])  # noqa: S606


def relay(listener: socket.socket, path: str) -> None:
    while True:
        near, _ = listener.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(path)
        except OSError:
            near.close()
            far.close()
            continue
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=pump, args=(source, sink), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(PIECE_BYTES):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


if __name__ == "__main__":
    main()
