"""CSV and JSON, written so that every line makes sense without the lines before it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from memory.ingestion.reader.pages import Budget, Page, Pieces
from memory.ingestion.reader.plain import decode
from memory.ingestion.reader.refusals import Unreadable

MOST_DEPTH = 64
TOO_DEEP = f"It is nested more than {MOST_DEPTH} levels deep."


def read_csv(data: bytes, budget: Budget) -> Pieces:
    """Give each row as `heading: value; heading: value`."""
    text = decode(data)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4_096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = []
    try:
        rows = csv.reader(io.StringIO(text, newline=""), dialect)
        headings = next(rows, [])
        if headings:
            lines.append(budget.spend("; ".join(headings)))
        for row in rows:
            fields = (
                f"{headings[place]}: {value}" if place < len(headings) and headings[place] else value
                for place, value in enumerate(row)
                if value.strip()
            )
            lines.append(budget.spend("; ".join(fields)))
    except csv.Error as error:
        raise Unreadable(f"This is not a readable table: {error}.") from None
    yield Page(None, "\n".join(lines))


def read_json(data: bytes, budget: Budget) -> Pieces:
    """Give each value as a line with the path to it: `orders[3].customer: Mia`."""
    value = _load(decode(data), "This is not valid JSON")
    yield Page(None, "\n".join(budget.spend(line) for line in _lines(value, "", 0)))


def read_json_lines(data: bytes, budget: Budget) -> Pieces:
    """Give each record as one line."""
    lines = []
    for number, line in enumerate(decode(data).splitlines(), start=1):
        if line.strip():
            value = _load(line, f"Line {number} is not valid JSON")
            lines.append(budget.spend("; ".join(_lines(value, "", 0))))
    yield Page(None, "\n".join(lines))


def _load(text: str, complaint: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise Unreadable(TOO_DEEP) from None
    except ValueError:
        raise Unreadable(f"{complaint}.") from None


def _lines(value: Any, path: str, depth: int) -> Iterator[str]:
    if depth > MOST_DEPTH:
        raise Unreadable(TOO_DEEP)
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _lines(item, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _lines(item, f"{path}[{place}]", depth + 1)
    else:
        shown = value if isinstance(value, str) else json.dumps(value)
        yield f"{path}: {shown}" if path else shown
