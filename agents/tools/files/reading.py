"""Reading a text file, or lines of it, without ever holding a large one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from pydantic import Field

from agents.errors import ToolFailed
from agents.services.attachment_copies import FOLDER as ATTACHMENTS
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.files.walk import Allowance
from agents.tools.outside import fenced
from agents.tools.workspace import open_file, open_folder, split_file
from messaging.media import media_type_of

READERS = frozenset({"worker", "branch"})
OUTPUT_BYTES = 45_000
LINE_BYTES = 4_000
STEP = 1 << 16
LOOK_S = 20.0
"""How long lines are looked for and counted."""


class ReadFile(Arguments):
    path: str = Field(max_length=1_000)
    first_line: int = Field(default=1, ge=1, description="Where to begin; the first line is 1.")
    lines: int = Field(default=2_000, ge=1, le=10_000, description="How many lines at most.")
    numbered: bool = Field(default=False, description="Put its number before each line.")


def read_file(context: ToolContext, arguments: ReadFile) -> ToolOutput:
    folder, name = split_file(arguments.path)
    with open_folder(context.workspace, folder) as handle:
        descriptor = open_file(handle, name, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        head = file.read(STEP)
        if b"\0" in head:
            size = os.fstat(file.fileno()).st_size
            raise ToolFailed(
                f"{name!r} is not text but a binary file ({media_type_of(head)}, {size:,} bytes)"
            )
        text = _Reader(context, arguments).read(_lines(file, head))
    return ToolOutput(fenced(text, f"the attachment {name}") if folder[:1] == (ATTACHMENTS,) else text)


class _Reader:
    """Collects the wanted lines and counts the others."""

    def __init__(self, context: ToolContext, arguments: ReadFile) -> None:
        self.wanted = range(arguments.first_line, arguments.first_line + arguments.lines)
        self.numbered = arguments.numbered
        self.allowance = Allowance(context, most_s=LOOK_S, most_entries=1 << 62)
        self.shown: list[str] = []
        self.room = OUTPUT_BYTES
        self.notes: list[str] = []

    def read(self, lines: Iterator[bytes]) -> str:
        number, last = 0, self.wanted.start - 1
        for number, line in enumerate(lines, start=1):
            if number % 1_000 == 0 and not self.allowance.goes_on():
                break
            if number in self.wanted and number == last + 1 and self._show(number, line):
                last = number
        if not self.shown:
            return f"[no lines there; the file has {number}]"
        if (more := number - last) > 0:
            at_least = "at least " if self.allowance.is_spent else ""
            self.notes.append(
                f"[{at_least}{more} more lines; {at_least}{number} in all; go on at line {last + 1}]"
            )
        return "\n".join([*self.shown, *self.notes])

    def _show(self, number: int, line: bytes) -> bool:
        """Take a line in; False when there is no room for it any more."""
        text = line[:LINE_BYTES].decode(errors="replace")
        if len(line) > LINE_BYTES:
            text += " [line cut]"
        if "�" in text and not self.notes:
            self.notes.append("[what is not UTF-8 shows as �]")
        text = f"{number}\t{text}" if self.numbered else text
        size = len(text.encode()) + 1
        if size > self.room:
            return False
        self.room -= size
        self.shown.append(text)
        return True


def _lines(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Yield lines without their ends, of each no more than is shown."""
    rest, is_cut = b"", False
    piece = head
    while piece:
        *whole, rest_of_piece = piece.split(b"\n")
        for part in whole:
            line = rest if is_cut else rest + part
            yield line.removesuffix(b"\r")
            rest, is_cut = b"", False
        if not is_cut:
            rest += rest_of_piece
            is_cut = len(rest) > LINE_BYTES
            rest = rest[: LINE_BYTES + 1]
        piece = file.read(STEP)
    if rest:
        yield rest


TOOLS = (
    Tool(
        name="read_file",
        description="Read a text file of your workspace, whole or by lines.",
        arguments=ReadFile,
        function=read_file,
        kinds=READERS,
        transactional=False,
        repeatable=True,
    ),
)
