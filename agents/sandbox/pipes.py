"""A command's input and output: pipes to us, a file that was given, or nothing."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import IO, Any


class Pipes:
    """`theirs` are the descriptors of the command's input, output and errors; ours are the other ends of pipes, or None.

    Each of `stdin`, `stdout` and `stderr` is PIPE, DEVNULL, a file or a descriptor; `stderr` may be STDOUT.
    """

    def __init__(self, *, stdin: Any, stdout: Any, stderr: Any) -> None:
        self._opened: list[int] = []
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        try:
            given, self.stdin = self._side(stdin, writes=True)
            said, self.stdout = self._side(stdout, writes=False)
            if stderr == subprocess.STDOUT:
                complained = said
            else:
                complained, self.stderr = self._side(stderr, writes=False)
        except BaseException:
            self.close()
            raise
        self.theirs = (given, said, complained)

    def _side(self, wanted: Any, *, writes: bool) -> tuple[int, IO[bytes] | None]:
        if wanted == subprocess.DEVNULL:
            self._opened.append(os.open(os.devnull, os.O_RDWR))
            return self._opened[-1], None
        if wanted != subprocess.PIPE:
            return wanted if isinstance(wanted, int) else wanted.fileno(), None
        reading, writing = os.pipe()
        theirs, ours = (reading, writing) if writes else (writing, reading)
        self._opened.append(theirs)
        return theirs, open(ours, "wb" if writes else "rb", buffering=0)

    def hand_over(self) -> None:
        """Drop their ends, which the keeper has now: the end of an output must mean that the command is gone."""
        for descriptor in self._opened:
            os.close(descriptor)
        self._opened.clear()

    def close(self) -> None:
        self.hand_over()
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
