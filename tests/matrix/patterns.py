"""Every address that the site answers, read from its resolver."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.urls import URLPattern, get_resolver


def walk(resolver: object = None, prefix: str = "") -> Iterator[str]:
    """Yield the patterns in one notation: parameters as `<converter:name>`, regular expressions untied."""
    for entry in (resolver or get_resolver()).url_patterns:  # type: ignore[attr-defined]
        whole = prefix + _plain(str(entry.pattern))
        if isinstance(entry, URLPattern):
            yield whole
        else:
            yield from walk(entry, whole)


def _plain(pattern: str) -> str:
    if not pattern.startswith("^") and "(?P" not in pattern:
        return pattern
    return re.sub(r"\(\?P(<\w+>)[^()]*\)", r"\1", pattern).removeprefix("^").removesuffix("$")


PATTERNS = sorted(set(walk()))
