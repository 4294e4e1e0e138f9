"""The parent's side of reading: a child with a built environment, a deadline, and a limit on what it may say."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memory.ingestion.reader.pages import Page
from memory.ingestion.reader.refusals import Unreadable
from memory.ingestion.store import MAX_BYTES

TIMEOUT_S = 60.0
MOST_OUTPUT_BYTES = 48_000_000
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from memory.ingestion.reader.child import main; "
    "main(sys.argv[2], int(sys.argv[3]))"
)
BROKEN_OFF = "Reading it broke off: it takes more time or memory than is allowed, or it is broken."


@dataclass(frozen=True)
class Reading:
    pages: tuple[Page, ...]
    notice: str = ""


def read_file(path: Path, name: str, *, timeout_s: float = TIMEOUT_S) -> Reading:
    """Return the text of a file, read in a child process that cannot outlive `timeout_s`.

    Raises Unreadable with a reason for people. Takes up to a minute: hold no transaction.
    """
    with path.open("rb") as file:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", START, str(ROOT), name, str(MAX_BYTES)],
            stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=ENVIRONMENT, cwd="/", start_new_session=True, close_fds=True,
        )  # fmt: skip
    try:
        output = _collect(child, time.monotonic() + timeout_s)
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        raise Unreadable(BROKEN_OFF) from None
    finally:
        _end(child)
    return _parse(output)


def _collect(child: subprocess.Popen[bytes], until: float) -> bytes:
    assert child.stdout is not None
    source, output = child.stdout.fileno(), bytearray()
    waiting = select.poll()
    waiting.register(source, select.POLLIN)
    while True:
        left_s = until - time.monotonic()
        if left_s <= 0 or not waiting.poll(left_s * 1_000):
            raise Unreadable("Reading it took too long.")
        piece = os.read(source, 1 << 20)
        if not piece:
            return bytes(output)
        output += piece
        if len(output) > MOST_OUTPUT_BYTES:
            raise Unreadable("It holds too much text.")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child's whole group, which is its own, and collect it."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


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
