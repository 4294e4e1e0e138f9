"""Which files are read, and how. The name says the format; the content must agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from memory.ingestion.reader.pages import Budget, Pieces
from memory.ingestion.reader.refusals import Unreadable

Read = Callable[[bytes, Budget], Pieces]
PDF, ZIP = b"%PDF-", b"PK\x03\x04"


class Format(NamedTuple):
    media_type: str
    module: str
    function: str
    opening: bytes = b""


_TEXT = Format("text/plain", "plain", "read_plain")
FORMATS: dict[str, Format] = {
    "txt": _TEXT,
    "log": _TEXT,
    "md": Format("text/markdown", "plain", "read_plain"),
    "markdown": Format("text/markdown", "plain", "read_plain"),
    "yaml": Format("application/yaml", "plain", "read_plain"),
    "yml": Format("application/yaml", "plain", "read_plain"),
    "html": Format("text/html", "web_page", "read_web_page"),
    "htm": Format("text/html", "web_page", "read_web_page"),
    "csv": Format("text/csv", "records", "read_csv"),
    "json": Format("application/json", "records", "read_json"),
    "jsonl": Format("application/jsonl", "records", "read_json_lines"),
    "pdf": Format("application/pdf", "portable", "read_portable", PDF),
    "docx": Format(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "document",
        "read_document",
        ZIP,
    ),
}


def ending_of(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def media_type_of(name: str) -> str:
    found = FORMATS.get(ending_of(name))
    return found.media_type if found else "application/octet-stream"


def format_of(name: str) -> Format:
    """Return the format that a file's name says, or raise Unreadable."""
    found = FORMATS.get(ending_of(name))
    if found is None:
        raise Unreadable(f"Files like this are not read. These are: {', '.join(sorted(FORMATS))}.")
    return found


def check_content(found: Format, name: str, data: bytes) -> None:
    """Raise Unreadable where the first bytes say something else than the name."""
    if not data.strip():
        raise Unreadable("The file is empty.")
    if found.opening:
        agrees = found.opening in data[:1_024] if found.opening == PDF else data.startswith(found.opening)
    else:
        agrees = not data.startswith((PDF, ZIP))
    if not agrees:
        raise Unreadable(f"Its name ends in .{ending_of(name)}, but its content is something else.")
