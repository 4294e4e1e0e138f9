"""The keeper: stands between us and one command, watches over its whole tree, and ends with us.

It is told what to run over a socket that stays open, and is handed the command's input and output over it; until then it
holds nothing, and ends when no order comes in time. When the socket closes, however that comes about (we were killed,
say), it kills the tree. It sends back one line at the start and one at the end; see `agents.sandbox.child`.
"""

from __future__ import annotations

import os
import select
import sys
import time
from marshal import dumps, loads

from agents.sandbox.inside import cgroups, tree
from agents.sandbox.inside.entering import enter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TICK_MS = 100
MOST_STREAMS = 8
NEVER = -1


def main(control: int, idle_s: int) -> None:
    """Run one order to its end, if one comes in time. Exits without ceremony: nothing here needs cleaning up by Python."""
    os.set_inheritable(control, False)
    if sys.platform == "linux":
        # What is orphaned below us stays in our tree: a namespace that is being ended takes a moment, too.
        from agents.sandbox.inside.syscalls import become_subreaper

        become_subreaper()
    order = _read_order(control, idle_s)
    groups = _groups(order)
    child, failure = _start(order, control, groups)
    _let_go(order["handed"])
    if failure:
        cgroups.remove(groups)
        _say(control, {"failed": failure})
        os._exit(1)
    _say(control, {"started": child})
    keeper = Keeper(control, child, order, groups)
    _say(control, keeper.keep())
    os._exit(0)


class Keeper:
    """Watches one child until it ends, breaks a limit, or is told to end."""

    def __init__(self, control: int, child: int, order: dict[str, Any], groups: list[str]) -> None:
        self.control, self.child, self.order = control, child, order
        self.groups = groups
        self.limit = ""
        self.status = NEVER
        self.reaped = 0
        self.watch = tree.Watch(order["watch"])

    def keep(self) -> dict[str, Any]:
        """Return how it ended, once nothing of the tree is left."""
        waiting = select.poll()
        waiting.register(self.control, select.POLLIN)
        pidfd = _pidfd(self.child)
        if pidfd is not None:
            waiting.register(pidfd, select.POLLIN)
        tick = TICK_MS if pidfd is not None else 10
        while self.status == NEVER:
            ready = {descriptor for descriptor, _ in waiting.poll(tick)}
            if self.control in ready and not self._obey():
                break
            self.reaped = 0
            self._reap()
            if self.status == NEVER:
                self.limit = cgroups.refused(self.groups) or self.watch.broken(os.getpid(), ended=self.reaped)
                if self.limit:
                    break
        self._end()
        self.limit = self.limit or cgroups.refused(self.groups)
        cgroups.remove(self.groups)
        return {"status": self.status, "limit": self.limit}

    def _obey(self) -> bool:
        """Take a word from us: T asks the tree to end, anything else (or nothing any more) ends it."""
        word = os.read(self.control, 1)
        if word != b"T":
            return False
        for pid in tree.descendants(os.getpid()):
            if pid != self.child or not self.order["wraps"]:
                tree.send(pid, tree.SIGTERM)
        return True

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.reaped += 1
            if pid == self.child:
                self.status = status

    def _end(self) -> None:
        """Kill until nothing is left: whole process groups first, for what forks on cannot outrun that."""
        while True:
            self._reap()
            left = tree.descendants(os.getpid()) or cgroups.members(self.groups)
            if not left:
                return
            if self.status == NEVER:
                tree.send_to_group(self.child, tree.SIGKILL)
            for group in tree.groups_of(left):
                tree.send_to_group(group, tree.SIGKILL)
            for pid in left:
                tree.send(pid, tree.SIGKILL)
            time.sleep(0.002)


def _start(order: dict[str, Any], control: int, groups: list[str]) -> tuple[int, str]:
    """Fork the child; return its number, and why it could not start, empty if it did."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(control)
        cgroups.join(groups)
        enter(order, writer)
    os.close(writer)
    failure = b""
    while piece := os.read(reader, 4096):
        failure += piece
    os.close(reader)
    return child, failure.decode(errors="replace")


def _groups(order: dict[str, Any]) -> list[str]:
    """Make control groups where there is no namespace to end at once; joining one takes ten times as long as a namespace."""
    watch = order["watch"]
    return cgroups.make(watch["processes"], watch["total_memory_bytes"]) if not order["wraps"] else []


def _read_order(control: int, idle_s: int) -> dict[str, Any]:
    waiting = select.poll()
    waiting.register(control, select.POLLIN)
    if not waiting.poll(idle_s * 1_000):
        os._exit(0)
    said, handed = _take_streams(control)
    found: dict[str, Any] = loads(_exactly(control, int.from_bytes(said, "big")))  # noqa: S302 -- from our own parent
    return {**found, "handed": handed}


def _take_streams(control: int) -> tuple[bytes, list[int]]:
    """Take the command's input, output and errors for our own; return the four bytes with them, and what more it is handed."""
    # The module `socket` imports enum, which is half of a start.
    import _socket  # type: ignore[import-not-found,unused-ignore]

    peer = _socket.socket(fileno=control)
    data, handed, _, _ = peer.recvmsg(4, _socket.CMSG_SPACE(MOST_STREAMS * 4))
    peer.detach()
    if len(data) < 4 or len(handed) != 1:
        os._exit(1)
    numbers = handed[0][2]
    streams = [int.from_bytes(numbers[at : at + 4], sys.byteorder) for at in range(0, len(numbers), 4)]
    for place, stream in enumerate(streams[:3]):
        os.dup2(stream, place)
        os.close(stream)
    return bytes(data), streams[3:]


def _exactly(control: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(control, size - len(data))
        if not piece:
            os._exit(1)
        data += piece
    return data


def _let_go(handed: list[int]) -> None:
    """Drop our hold on the command's input, output and whatever else it was handed: their ends must mean that it is gone."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    for descriptor in (nothing, *handed):
        os.close(descriptor)


def _say(control: int, word: dict[str, Any]) -> None:
    data = dumps(word)
    try:
        os.write(control, len(data).to_bytes(4, "big") + data)
    except OSError:
        return  # Nobody listens any more: what matters is done.


def _pidfd(pid: int) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
