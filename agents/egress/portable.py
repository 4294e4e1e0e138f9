"""Reading a fetched PDF: never here, but by the contained child that reads people's files."""

from __future__ import annotations

import tempfile
from functools import partial

from agents.egress.errors import Stopped, Unreachable
from agents.egress.reading import visible
from agents.sandbox.errors import CannotStart
from agents.sandbox.readers import start_reader
from llm.types import CancelToken
from memory.ingestion.reader.refusals import Unreadable
from memory.ingestion.reading import read_open

TIMEOUT_S = 30.0
TYPES = ("application/pdf", "application/x-pdf")
UNSURE = ("", "application/octet-stream", "binary/octet-stream")


def is_portable(body: bytes, content_type: str) -> bool:
    """Say whether it is sent as a PDF, or as nothing in particular and begins like one."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in TYPES or (kind in UNSURE and body.startswith(b"%PDF-"))


def text_of(body: bytes, *, cancel: CancelToken | None) -> str:
    """Return its text, each page under its number. Raises Unreachable with the reason, or Stopped."""
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        try:
            found = read_open(
                file, "fetched.pdf", start=partial(start_reader, cancel=cancel), timeout_s=TIMEOUT_S
            )
        except (Unreadable, CannotStart) as error:
            if cancel is not None and cancel.is_cancelled:
                raise Stopped("the run was stopped") from None
            raise Unreachable(f"it is a PDF that cannot be read: {error}".rstrip(".")) from None
    pages = [f"[page {page.number}]\n{page.text.strip()}" for page in found.pages]
    return visible("\n\n".join([*pages, *([f"[{found.notice}]"] if found.notice else [])]))
