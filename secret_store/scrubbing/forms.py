"""The literal forms in which a known value may stand in a text."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

SHORTEST_BYTES = 8
"""A shorter value would blacken ordinary words; see docs/secrets.md."""
SHORTEST_ANY_CASE = 12
"""From this length on a value counts in any mixture of capitals; a shorter one only as it is written."""
URL_SAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True)
class Form:
    """A form to search for. `loose` ends carry a few bits of the value in the character beside them."""

    text: bytes
    any_case: bool
    loose: bool = False


def is_recognisable(value: str) -> bool:
    """Say whether a value is long enough, and varied enough, to be looked for."""
    value = value.strip()
    if len(value) < SHORTEST_ANY_CASE and value.isalpha() and (value.islower() or value.isupper()):
        return False
    return len(value.encode("utf-8", "surrogatepass")) >= SHORTEST_BYTES and len(set(value)) > 2


def forms_of(value: str) -> list[Form]:
    """Return every form once. Mixed escapes, wrapped lines and nestings are found by `views`, not listed here."""
    found: dict[bytes, Form] = {}
    for form in _forms(value):
        found.setdefault(form.text, form)
    return list(found.values())


def _forms(value: str) -> Iterator[Form]:
    raw = value.encode("utf-8", "surrogatepass")
    any_case = len(raw) >= SHORTEST_ANY_CASE
    for text in _written(value, raw):
        yield Form(text, any_case)
    for line in value.splitlines():
        if "\n" in value and len(line.strip()) >= 2 * SHORTEST_BYTES and not line.startswith("-----"):
            yield Form(line.strip().encode("utf-8", "surrogatepass"), True)
    yield Form(raw.hex().encode(), True)
    wide = value.encode("utf-16-le", "surrogatepass")
    for content in (raw, wide):
        yield from _base64(content)


def _written(value: str, raw: bytes) -> Iterator[bytes]:
    """The value itself, and as JSON, HTML and URLs write it."""
    yield raw
    if not value.isascii():
        yield from (text.encode("utf-8", "surrogatepass") for text in (value.upper(), value.lower()))
    for ascii_only in (True, False):
        inner = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(inner, ensure_ascii=ascii_only)[1:-1]
        for text in (inner, inner.replace("/", "\\/"), twice):
            yield text.encode("utf-8", "surrogatepass")
    yield repr(value)[1:-1].encode("utf-8", "surrogatepass")
    yield html.escape(value).encode("utf-8", "surrogatepass")
    yield html.escape(value, quote=False).encode("utf-8", "surrogatepass")
    yield quote(raw, safe="").encode()
    yield quote_plus(raw).encode()


def _base64(content: bytes) -> Iterator[Form]:
    """The characters that depend on the value alone, for each of the three places where it may begin."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + content)
        whole_bits = 8 * (offset + len(content))
        core = encoded[-(-8 * offset // 6) : whole_bits // 6]
        if len(core) >= SHORTEST_BYTES:
            yield Form(core, True, loose=True)
            yield Form(core.translate(URL_SAFE), True, loose=True)
