"""What people see while a channel writes: the reply's text as it arrives, a few pieces a second.

The model speaks through the `reply` tool, so its words arrive as pieces of a JSON argument; they are decoded on the way.
Secrets are taken out: the last word is held back until it is whole.
"""

from __future__ import annotations

import time

from agents.models import Run
from llm.types import Restarted, StreamEvent, TextDelta, ToolCallDelta
from realtime.services import NewEvent, publish_transient
from secret_store.shields import Shield

FLUSH_S = 0.08
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


class ContentReader:
    """Decodes the value of the key `content` out of a JSON object that arrives in pieces."""

    def __init__(self) -> None:
        self._raw = ""
        self._at = -1
        self._done = False

    def feed(self, piece: str) -> str:
        """Return the text that has become readable."""
        if self._done:
            return ""
        self._raw += piece
        if self._at < 0 and not self._find_start():
            return ""
        return self._decode()

    def _find_start(self) -> bool:
        key = self._raw.find('"content"')
        if key < 0:
            return False
        rest = self._raw[key + 9 :]
        stripped = rest.lstrip()
        if not stripped.startswith(":"):
            return False
        value = stripped[1:].lstrip()
        if not value.startswith('"'):
            return False
        self._at = len(self._raw) - len(value) + 1
        return True

    def _decode(self) -> str:
        raw, at, out = self._raw, self._at, []
        while at < len(raw):
            character = raw[at]
            if character == '"':
                self._done = True
                break
            if character != "\\":
                out.append(character)
                at += 1
                continue
            taken, text = self._escape(raw, at)
            if taken == 0:
                break
            out.append(text)
            at += taken
        self._raw, self._at = raw[at:], 0
        return "".join(out)

    def _escape(self, raw: str, at: int) -> tuple[int, str]:
        """Return how many characters an escape takes and its text; (0, "") while it is incomplete."""
        if at + 1 >= len(raw):
            return 0, ""
        if raw[at + 1] != "u":
            return 2, ESCAPES.get(raw[at + 1], "")
        if at + 6 > len(raw):
            return 0, ""
        code = _hex(raw[at + 2 : at + 6])
        if not 0xD800 <= code < 0xDC00:
            return 6, chr(code) if not 0xDC00 <= code < 0xE000 else "\ufffd"
        if at + 12 > len(raw):
            return 0, ""
        low = _hex(raw[at + 8 : at + 12])
        if raw[at + 6 : at + 8] != "\\u" or not 0xDC00 <= low < 0xE000:
            return 6, "\ufffd"
        return 12, chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))


def _hex(digits: str) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        return 0xFFFD


class ReplyStream:
    """Collects one response's deltas and publishes them as transient events. Never stored, never relied on."""

    def __init__(self, run: Run, shield: Shield, said_before: str = "") -> None:
        self.run = run
        self._scrubber = shield.rolling(said_before)
        self._pending = ""
        self._sent_anything = False
        self._last_sent = time.monotonic()
        self._readers: dict[int, ContentReader] = {}
        self._tool_seen = False

    def __call__(self, event: StreamEvent) -> None:
        match event:
            case TextDelta(text=text) if not self._tool_seen:
                self._pending += self._scrubber.feed(text)
            case ToolCallDelta(index=index, name=name, arguments=arguments):
                if not self._tool_seen:
                    self._tool_seen = True
                    self.reset()
                if name == "reply" and index not in self._readers:
                    self._readers[index] = ContentReader()
                if index in self._readers:
                    self._pending += self._scrubber.feed(self._readers[index].feed(arguments))
            case Restarted():
                self._readers.clear()
                self._tool_seen = False
                self.reset()
        if self._pending and time.monotonic() - self._last_sent >= FLUSH_S:
            self._publish("reply.delta", {"run_id": self.run.pk, "text": self._pending})
            self._pending, self._sent_anything = "", True

    def reset(self) -> None:
        """Void the draft that people may have seen."""
        self._pending = ""
        self._scrubber.reset()
        if self._sent_anything:
            self._sent_anything = False
            self._publish("reply.reset", {"run_id": self.run.pk})

    def _publish(self, kind: str, payload: dict[str, object]) -> None:
        self._last_sent = time.monotonic()
        publish_transient(
            self.run.organization_id,
            NewEvent(kind=kind, payload=payload, conversation_id=self.run.conversation_id),
        )
