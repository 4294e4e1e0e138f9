"""What a search provider is asked and what it returns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from agents.egress.client import Fetched
from agents.egress.errors import Unreachable
from llm.types import CancelToken

FRESHNESS = ("day", "week", "month", "year")


@dataclass(frozen=True)
class Query:
    """`country` and `language` are two-letter codes, `freshness` one of FRESHNESS; empty means no wish."""

    text: str
    count: int = 5
    freshness: str = ""
    country: str = ""
    language: str = ""


@dataclass(frozen=True)
class Hit:
    title: str
    url: str
    text: str
    age: str = ""


class SearchRefused(Exception):
    """The provider will not answer; the words are for the model and for people."""


class SearchProvider(Protocol):
    name: ClassVar[str]

    def search(self, query: Query, *, cancel: CancelToken | None = None) -> list[Hit]:
        """Return the best hits first. Raises SearchRefused or a subclass of EgressError."""


def json_of(answer: Fetched, name: str) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        raise Unreachable(f"{name} did not answer with JSON") from None
    if not isinstance(body, dict):
        raise Unreachable(f"{name} answered in a form that is not known")
    return body


def hits_in(rows: Any, *, count: int, text: str, age: str) -> list[Hit]:
    """Return the well-formed rows; `text` and `age` name the fields that hold these."""
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    hits = [
        Hit(
            _plain(row.get("title"), 200), _plain(row.get("url"), 2_000),
            _plain(row.get(text), 600), _plain(row.get(age), 40),
        )
        for row in found
    ]  # fmt: skip
    return [hit for hit in hits if hit.url.startswith(("https://", "http://"))][:count]


def _plain(value: Any, most: int) -> str:
    import re
    from html import unescape

    text = unescape(re.sub(r"<[^<>]{0,200}>", "", value)) if isinstance(value, str) else ""
    return " ".join(text.split())[:most]
