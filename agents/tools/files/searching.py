"""Searching the workspace for lines that match a pattern.

The pattern is the model's, so it may be one that never comes to an end; the matcher has a clock of its own and holds no lock
of the interpreter while it works.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import regex
from pydantic import Field

from agents.errors import ToolFailed, ToolRetry
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.files.reading import READERS
from agents.tools.files.walk import Allowance, Entry, walk
from agents.tools.workspace import is_plain, open_file, open_folder, split

MOST_S = 20.0
MOST_ENTRIES = 50_000
MOST_FILE_BYTES = 8_000_000
OUTPUT_BYTES = 40_000
LINE_CHARACTERS = 300
SKIPPED = frozenset({".git", "node_modules", "__pycache__", ".venv"})


class SearchFiles(Arguments):
    pattern: str = Field(
        description="A regular expression, matched line by line.", min_length=1, max_length=1_000
    )
    path: str = Field(default=".", description="A folder to search in, or one file.", max_length=1_000)
    glob: str = Field(
        default="",
        description="Only files whose name or path matches, such as *.py or src/*.ts.",
        max_length=200,
    )
    literal: bool = Field(default=False, description="Take the pattern as plain text.")
    ignore_case: bool = False
    context_lines: int = Field(
        default=0, ge=0, le=10, description="Lines to show before and after each match."
    )
    most_matches: int = Field(default=100, ge=1, le=500)
    names_only: bool = Field(default=False, description="Show only which files match, and how often.")


def search_files(context: ToolContext, arguments: SearchFiles) -> ToolOutput:
    search = _Search(context, arguments)
    try:
        search.run(context, split(arguments.path))
    except TimeoutError:
        search.notes.append(
            f"[stopped after {MOST_S:.0f} s: search in fewer files, or with a simpler pattern]"
        )
    return ToolOutput(search.told())


class _Search:
    """One search: what it found, what it passed over, and how much it may still show."""

    def __init__(self, context: ToolContext, arguments: SearchFiles) -> None:
        self.arguments = arguments
        self.allowance = Allowance(context, most_s=MOST_S, most_entries=MOST_ENTRIES)
        self.pattern = _compile(arguments)
        self.shown: list[str] = []
        self.notes: list[str] = []
        self.room = OUTPUT_BYTES
        self.matches = 0
        self.passed_over = 0

    def run(self, context: ToolContext, parts: tuple[str, ...]) -> None:
        if parts and self._is_file(context, parts):
            with open_folder(context.workspace, parts[:-1]) as handle:
                self._file(handle, parts[-1], parts[-1])
            return
        with open_folder(context.workspace, parts) as handle:
            for entry in walk(handle, self.allowance, skipped=SKIPPED):
                if self._wants(entry):
                    self._file(entry.handle, entry.path.name, str(entry.path))
                if self.is_full:
                    return
        if self.allowance.is_spent:
            raise TimeoutError

    @property
    def is_full(self) -> bool:
        return self.matches >= self.arguments.most_matches or self.room <= 0

    def told(self) -> str:
        if self.is_full:
            self.notes.append("[there may be more: narrow the search]")
        if self.passed_over:
            self.notes.append(f"[{self.passed_over} files passed over: binary, linked or too large]")
        return "\n".join([*(self.shown or ["[nothing found]"]), *self.notes])

    def _is_file(self, context: ToolContext, parts: tuple[str, ...]) -> bool:
        with open_folder(context.workspace, parts[:-1]) as handle:
            try:
                return is_plain(os.stat(parts[-1], dir_fd=handle, follow_symlinks=False))
            except FileNotFoundError:
                raise ToolRetry(f"There is no {parts[-1]!r} there.") from None

    def _wants(self, entry: Entry) -> bool:
        if entry.is_folder or entry.is_link:
            return False
        glob, path = self.arguments.glob, str(entry.path)
        if (
            glob
            and not fnmatchcase(entry.path.name, glob)
            and not fnmatchcase(path, glob.removeprefix("**/"))
        ):
            return False
        if is_plain(entry.status) and entry.status.st_size <= MOST_FILE_BYTES:
            return True
        self.passed_over += 1
        return False

    def _file(self, handle: int, name: str, path: str) -> None:
        lines = self._lines(handle, name)
        if lines is None:
            self.passed_over += 1
            return
        hits = list(self._hits(lines))
        if not hits:
            return
        if self.arguments.names_only:
            self._show(f"{path}: {len(hits)} {'line' if len(hits) == 1 else 'lines'}")
            return
        last = -1
        for hit in hits:
            around = self.arguments.context_lines
            first = max(last + 1, hit - around)
            if around and last >= 0 and first > last + 1:
                self._show("--")
            for number in range(first, min(hit + around, len(lines) - 1) + 1):
                mark = ":" if number in hits else "-"
                self._show(f"{path}{mark}{number + 1}{mark} {_cut(lines[number])}")
                last = number

    def _hits(self, lines: list[str]) -> Iterator[int]:
        """Yield the places of the lines that match, no more than may be shown. Raises TimeoutError."""
        for number, line in enumerate(lines):
            if number % 1_000 == 0 and not self.allowance.goes_on():
                raise TimeoutError
            if self.pattern.search(line, timeout=max(0.01, self.allowance.left_s), concurrent=True):
                self.matches += 1
                yield number
                if self.is_full:
                    return

    def _lines(self, handle: int, name: str) -> list[str] | None:
        """Return the lines of a text file; None for what cannot be searched."""
        try:
            descriptor = open_file(handle, name, os.O_RDONLY)
        except (ToolFailed, ToolRetry):
            return None
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
        if b"\0" in data or len(data) > MOST_FILE_BYTES:
            return None
        return [line.removesuffix("\r") for line in data.decode(errors="replace").split("\n")]

    def _show(self, line: str) -> None:
        if self.room > 0:
            self.room -= len(line.encode(errors="replace")) + 1
            self.shown.append(line)


def _compile(arguments: SearchFiles) -> Any:
    flags = regex.IGNORECASE if arguments.ignore_case else 0
    source = regex.escape(arguments.pattern) if arguments.literal else arguments.pattern
    try:
        return regex.compile(source, flags)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ToolRetry(f"That is no regular expression: {error}.") from None


def _cut(line: str) -> str:
    return line if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]} [line cut]"


TOOLS = (
    Tool(
        name="search_files",
        description="Search the text files of your workspace for lines that match a regular expression.",
        arguments=SearchFiles,
        function=search_files,
        kinds=READERS,
        transactional=False,
        repeatable=True,
    ),
)
