"""What a command says while it runs, for those who watch the run: transient, throttled, bounded."""

from __future__ import annotations

import time
from types import TracebackType

from agents.models import Run
from realtime.services import NewEvent, publish_transient
from secret_store.shields import Shield

FLUSH_S = 0.2
PIECE_CHARACTERS = 4_000


class LiveOutput:
    """Publishes the newest words a few times a second; between two pieces, all but the last 4,000 characters are dropped.

    Secrets are taken out first, also where a piece ends in the middle of one: what could be the beginning of one is held back.
    """

    def __init__(self, run: Run, key: str, shield: Shield) -> None:
        self.run, self.key = run, key
        self._scrubber = shield.rolling()
        self._pending = ""
        self._sent_at = 0.0

    def __enter__(self) -> LiveOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pending = (self._pending + self._scrubber.flush())[-PIECE_CHARACTERS:]
        self._publish()

    def add(self, piece: bytes) -> None:
        self._pending = (self._pending + self._scrubber.feed(piece.decode(errors="replace")))[
            -PIECE_CHARACTERS:
        ]
        if time.monotonic() - self._sent_at >= FLUSH_S:
            self._publish()

    def _publish(self) -> None:
        if not self._pending or not self.run.conversation_id:
            return
        publish_transient(
            self.run.organization_id,
            NewEvent(
                "shell.output",
                {"run_id": self.run.pk, "call": self.key, "text": self._pending.replace("\0", "")},
                conversation_id=self.run.conversation_id,
            ),
        )
        self._pending, self._sent_at = "", time.monotonic()
