"""What Playwright starts in the browser's place: it hands its arguments, streams and pipes to us, who start the browser.

    python -I -S handing.py SOCKET ARGUMENT…

It stays as long as the browser does and ends as that ended; when it is killed, the browser is. See `agents.browser.door`.
"""

from __future__ import annotations

import os
import socket
import sys

DESCRIPTORS = range(5)
"""Input, output, errors, and the two pipes over which Playwright speaks with the browser."""


def main(path: str, arguments: list[str]) -> None:
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    data = "\0".join(arguments).encode()
    socket.send_fds(line, [len(data).to_bytes(4, "big")], list(DESCRIPTORS))
    for descriptor in DESCRIPTORS:
        os.close(descriptor)
    line.sendall(data)
    ended = line.recv(1)
    os._exit(ended[0] if ended else 1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
