"""What travels on the bus: routing facts in a short header, then the finished text for clients.

The web process reads only the header and forwards the text as it is, so fanning out costs no JSON work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

ACCESS_CHANGED = "access.changed"
"""Not for clients: tells web processes to check again who may listen."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as the bus carries it. `number` is None if it is not stored; `text` is what clients get."""

    number: int | None
    kind: str
    conversation_id: int | None
    user_id: int | None
    minimum_level: int
    text: str

    def encode(self) -> bytes:
        header = (self.number, self.conversation_id, self.user_id)
        numbers = " ".join("-" if value is None else str(value) for value in header)
        return f"{numbers} {self.minimum_level} {self.kind}\n{self.text}".encode()


def decode(raw: bytes) -> Frame:
    """Return the frame written by `Frame.encode`; ValueError if it is none."""
    header, separator, text = raw.decode().partition("\n")
    if not separator:
        raise ValueError("a frame without a header")
    number, conversation_id, user_id, level, kind = header.split(" ", 4)
    return Frame(_read(number), kind, _read(conversation_id), _read(user_id), int(level), text)


def _read(word: str) -> int | None:
    return None if word == "-" else int(word)


def dump_json(value: object) -> str:
    """Return compact JSON that PostgreSQL accepts too: without NUL and lone surrogates."""
    text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
        clean = "\\u0000" not in text
    except UnicodeEncodeError:
        clean = False
    if clean:
        return text
    return json.dumps(_cleaned(json.loads(text)), ensure_ascii=False, separators=(",", ":"))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value


def client_text(
    *, number: int | None, kind: str, payload_json: str, conversation_id: int | None, at: datetime | None
) -> str:
    """Return the one shape in which clients receive events."""
    head = json.dumps(
        {"id": number, "kind": kind, "conversation_id": conversation_id, "at": at and at.isoformat()}
    )
    return f'{head[:-1]}, "payload": {payload_json}}}'
