"""DOCX: the running text of the main part, read as a stream; entities and document types are refused."""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.parsers import expat

from memory.ingestion.reader.pages import Budget, Page, Pieces
from memory.ingestion.reader.refusals import Unreadable

PART = "word/document.xml"
MOST_XML_BYTES = 100_000_000
MOST_DEPTH = 500
STEP = 65_536
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT_WORD = "http://purl.oclc.org/ooxml/wordprocessingml/main"
BREAKS = {"br": "\n", "cr": "\n", "tab": "\t"}
ENDS = {"p": "\n", "tc": "\t", "tr": "\n"}


def read_document(data: bytes, budget: Budget) -> Pieces:
    text = _Text(budget)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(PART) as part:
            read = 0
            while piece := part.read(STEP):
                read += len(piece)
                if read > MOST_XML_BYTES:
                    raise Unreadable("It unpacks to far more than a document holds.")
                text.parser.Parse(piece, False)
            text.parser.Parse(b"", True)
    except KeyError:
        raise Unreadable("This is a ZIP archive, but not a DOCX document.") from None
    except expat.ExpatError:
        raise Unreadable("The document inside is broken.") from None
    except RuntimeError:
        raise Unreadable("The document is protected by a password.") from None
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error):
        raise Unreadable("The file is broken.") from None
    yield Page(None, "".join(text.parts))


class _Text:
    def __init__(self, budget: Budget) -> None:
        self.parts: list[str] = []
        self._budget = budget
        self._depth = 0
        self._in_text = False
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise Unreadable(f"It is nested more than {MOST_DEPTH} levels deep.")
        tag = _tag(name)
        self._in_text = tag == "t"
        if tag in BREAKS:
            self._add(BREAKS[tag])

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._in_text = False
        tag = _tag(name)
        if tag in ENDS:
            self._add(ENDS[tag])

    def _characters(self, text: str) -> None:
        if self._in_text:
            self._add(text)

    def _add(self, text: str) -> None:
        self.parts.append(self._budget.spend(text))


def _tag(name: str) -> str:
    """Return the local name of one of Word's own elements, else nothing."""
    space, _, local = name.rpartition(" ")
    return local if space in (WORD, STRICT_WORD) else ""


def _refuse(*_: object) -> None:
    raise Unreadable("It declares XML entities, which no honest document does.")
