"""The child: the file comes on its standard input, its text goes line by line to its standard output.

Each line is JSON: `{"page": 3, "text": "…"}`, `{"notice": "…"}`, and last `{"end": true}` or `{"refusal": "…"}`.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

from memory.ingestion.reader.formats import check_content, format_of
from memory.ingestion.reader.limits import lower_limits
from memory.ingestion.reader.pages import Budget, Notice
from memory.ingestion.reader.refusals import Unreadable

MOST_CHARACTERS = 10_000_000


def main(name: str, most_bytes: int) -> None:
    """Read one file whose name is `name`."""
    try:
        _read(name, most_bytes)
        _say({"end": True})
    except Unreadable as error:
        _say({"refusal": str(error)})
    except MemoryError:
        _say({"refusal": "Reading it takes more memory than is allowed."})
    except RecursionError:
        _say({"refusal": "It is nested too deeply."})


def _read(name: str, most_bytes: int) -> None:
    found = format_of(name)
    read = getattr(import_module(f"memory.ingestion.reader.{found.module}"), found.function)
    lower_limits()
    data = sys.stdin.buffer.read(most_bytes + 1)
    check_content(found, name, data)
    budget = Budget(MOST_CHARACTERS)
    for piece in read(data, budget):
        if isinstance(piece, Notice):
            _say({"notice": piece.text})
        else:
            _say({"page": piece.number, "text": piece.text})


def _say(line: dict[str, Any]) -> None:
    data = json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n"
    while data:
        data = data[os.write(1, data) :]
