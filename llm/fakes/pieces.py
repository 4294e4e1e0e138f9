"""Small parts that all wire formats share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llm.fakes.replies import FakeRequest


def frame(body: dict[str, Any], *, event: str = "") -> bytes:
    """Return one server-sent event."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(body, separators=(',', ':'))}\n\n".encode()


def split(text: str, parts: int) -> Iterator[str]:
    """Yield `text` in about `parts` pieces; nothing for an empty text."""
    size = max(1, -(-len(text) // max(1, parts)))
    for start in range(0, len(text), size):
        yield text[start : start + size]


def arguments_text(arguments: dict[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def call_id(request: FakeRequest, index: int) -> str:
    return f"call_{request.number}_{index}"
