"""Walls on macOS: a profile for `sandbox-exec`. With no namespaces, it holds the network and other processes too."""

from __future__ import annotations

import os
import platform

from agents.sandbox.command import Command
from agents.sandbox.drivers.base import Order, check_folder, environment_of, limits_of, watch_of
from agents.sandbox.errors import CannotStart

PROGRAM = "/usr/bin/sandbox-exec"
PROFILE = """(version 1)
(deny default)
(allow process-fork)
(allow process-exec)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata)
(allow file-read*
  (literal "/") (subpath "/usr") (subpath "/bin") (subpath "/sbin") (subpath "/System") (subpath "/Library/Developer")
  (subpath "/opt/homebrew") (subpath "/private/etc/ssl") (literal "/private/etc/passwd") (literal "/private/etc/localtime")
  (subpath "/dev"))
(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty"))
(deny file-read* (subpath "/dev/disk0"))
"""


class Seatbelt:
    name = "sandbox-exec"
    contains = True
    has_ways = False

    def order(self, command: Command) -> Order:
        if platform.system() != "Darwin" or not os.access(PROGRAM, os.X_OK):
            raise CannotStart("this needs macOS")
        check_folder(command.cwd)
        if command.access.proxy is not None or command.access.ways or command.access.instead:
            raise CannotStart("there are no ways through walls on macOS")
        return Order(
            file=PROGRAM,
            argv=["sandbox-exec", "-p", profile(command), *command.argv],
            environment={**environment_of(command), "TMPDIR": str(command.cwd)},
            cwd=str(command.cwd),
            limits=limits_of(command),
            watch=watch_of(command),
        )


def profile(command: Command) -> str:
    """Return the profile of a command: everything is denied but the system's programs and its own paths."""
    lines = [PROFILE]
    for path in command.access.readable:
        lines.append(f"(allow file-read* (subpath {quoted(str(path))}))")
    for path in command.access.writable:
        lines.append(f"(allow file-read* file-write* (subpath {quoted(str(path))}))")
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return a string as the profile's language writes it; raise CannotStart for one that could end it."""
    if any(ord(character) < 32 for character in text):
        raise CannotStart("a path holds control characters")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
