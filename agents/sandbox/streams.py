"""What a command says, kept in bounds: the beginning and the end of it."""

from __future__ import annotations

from collections import deque


class Kept:
    """Keeps the first and the last half of `most` bytes."""

    def __init__(self, most: int) -> None:
        self.head_room = most // 2
        self.tail_room = most - self.head_room
        self.seen_bytes = 0
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0

    def add(self, piece: bytes) -> None:
        self.seen_bytes += len(piece)
        room = self.head_room - len(self._head)
        if room > 0:
            self._head += piece[:room]
            piece = piece[room:]
        if not piece:
            return
        self._tail.append(piece[-self.tail_room :])
        self._tail_bytes += len(self._tail[-1])
        while self._tail_bytes - len(self._tail[0]) >= self.tail_room:
            self._tail_bytes -= len(self._tail.popleft())

    @property
    def dropped_bytes(self) -> int:
        return self.seen_bytes - len(self._head) - min(self._tail_bytes, self.tail_room)

    def value(self) -> bytes:
        """Return what is kept, with a note where something was left out."""
        tail = b"".join(self._tail)[-self.tail_room :]
        if not self.dropped_bytes:
            return bytes(self._head) + tail
        return bytes(self._head) + b"\n[... %d bytes left out ...]\n" % self.dropped_bytes + tail
