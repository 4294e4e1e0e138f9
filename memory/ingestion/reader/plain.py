"""Plain text, and what is read like it: Markdown, YAML, logs."""

from __future__ import annotations

import codecs

from memory.ingestion.reader.pages import Budget, Page, Pieces
from memory.ingestion.reader.refusals import Unreadable

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> str:
    """Return the text: by its byte order mark, else UTF-8, else Western European."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\x00" in data:
        raise Unreadable("This is not text, though its name says so.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_plain(data: bytes, budget: Budget) -> Pieces:
    yield Page(None, budget.spend(decode(data)))
