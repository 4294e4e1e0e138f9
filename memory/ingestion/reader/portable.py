"""PDF, page by page."""

from __future__ import annotations

import io

from pypdf import PdfReader

from memory.ingestion.reader.limits import load_all
from memory.ingestion.reader.pages import Budget, Notice, Page, Pieces
from memory.ingestion.reader.refusals import Unreadable

MOST_PAGES = 2_000
load_all("pypdf")


def read_portable(data: bytes, budget: Budget) -> Pieces:
    """Give each page; one that cannot be read is left out and told of."""
    reader, count = _open(data)
    broken: list[int] = []
    for number in range(1, count + 1):
        try:
            text = reader.pages[number - 1].extract_text()
        except (MemoryError, Unreadable):
            raise
        except Exception:  # The library lets errors of any kind through for broken pages.
            broken.append(number)
            continue
        yield Page(number, budget.spend(text))
    if broken and len(broken) == count:
        raise Unreadable("The PDF is broken: none of its pages can be read.")
    if broken:
        shown = ", ".join(str(number) for number in broken[:10])
        yield Notice(
            f"{len(broken)} of {count} pages could not be read: {shown}{' …' if broken[10:] else ''}."
        )


def _open(data: bytes) -> tuple[PdfReader, int]:
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("The PDF is protected by a password.")
        count = len(reader.pages)
    except (Unreadable, MemoryError):
        raise
    except Exception:  # Recursion, missing keys and wrong types all mean the same here.
        raise Unreadable("The PDF is broken.") from None
    if count > MOST_PAGES:
        raise Unreadable(f"It has {count:,} pages; {MOST_PAGES:,} are read at most.")
    return reader, count
