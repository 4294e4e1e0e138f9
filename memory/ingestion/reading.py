"""The parent's side of reading: a child with a deadline and a limit on what it may say, started by whoever may start one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from memory.ingestion.reader.pages import Page
from memory.ingestion.reader.refusals import Unreadable
from memory.ingestion.store import MAX_BYTES

TIMEOUT_S = 60.0
MOST_OUTPUT_BYTES = 48_000_000
ROOT = Path(__file__).resolve().parents[2]
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from memory.ingestion.reader.child import main; "
    "main(sys.argv[2], int(sys.argv[3]))"
)
BROKEN_OFF = "Reading it broke off: it takes more time or memory than is allowed, or it is broken."


@dataclass(frozen=True)
class Reading:
    pages: tuple[Page, ...]
    notice: str = ""


class StartReader(Protocol):
    """Runs a line of Python in a contained child that sees `packages` of ours and no more.

    Returns what it said; raises TimeoutError after `timeout_s`, OverflowError above `most_output_bytes`.
    """

    def __call__(
        self,
        program: str,
        arguments: tuple[str, ...],
        *,
        packages: tuple[Path, ...],
        stdin: IO[bytes],
        timeout_s: float,
        most_output_bytes: int,
    ) -> bytes: ...


_start: StartReader | None = None


def set_reader(start: StartReader) -> None:
    """Install what starts a reader: it stands above this package."""
    global _start
    _start = start


def read_file(path: Path, name: str, *, timeout_s: float = TIMEOUT_S) -> Reading:
    """Return the text of a file, read in a child process that cannot outlive `timeout_s`.

    Raises Unreadable with a reason for people. Takes up to a minute: hold no transaction.
    """
    assert _start is not None, "the site has not said how readers are started"
    with path.open("rb") as file:
        return read_open(file, name, start=_start, timeout_s=timeout_s)


def read_open(file: IO[bytes], name: str, *, start: StartReader, timeout_s: float = TIMEOUT_S) -> Reading:
    """Do the same with an open file, whose child `start` starts."""
    try:
        output = start(
            START,
            (str(ROOT), name, str(MAX_BYTES)),
            packages=(ROOT / "memory",),
            stdin=file,
            timeout_s=timeout_s,
            most_output_bytes=MOST_OUTPUT_BYTES,
        )
    except TimeoutError:
        raise Unreadable("Reading it took too long.") from None
    except OverflowError:
        raise Unreadable("It holds too much text.") from None
    return _parse(output)


def _parse(output: bytes) -> Reading:
    pages: list[Page] = []
    notice, ended = "", False
    for raw in output.split(b"\n"):
        line = _line(raw)
        if "refusal" in line:
            raise Unreadable(str(line["refusal"])[:300])
        if "text" in line:
            page = line.get("page")
            pages.append(Page(page if isinstance(page, int) else None, clean(str(line["text"]))))
        notice = str(line.get("notice", notice))[:300]
        ended = ended or "end" in line
    if not ended:
        raise Unreadable(BROKEN_OFF)
    return Reading(tuple(pages), notice)


def _line(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def clean(text: str) -> str:
    """Return what the database can store, with plain line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n").replace("\x00", "")
    return text.encode(errors="replace").decode()
