"""What sessions have in common that are followed by the events of a program: waiting, stopping, falling silent."""

from __future__ import annotations

import queue
import time
from abc import ABC, abstractmethod
from typing import Any

from agents.coding.errors import BackendFailed, Breach, ProgramEnded
from agents.coding.place import Place
from agents.coding.types import Asked, Pause
from agents.sandbox.child import Child
from agents.sandbox.streams import Kept
from llm.errors import Cancelled
from llm.types import CancelToken

END = object()
"""Stands in the queue of events where they end."""
SETTLE_S = 0.15
"""Calls that are made at once are asked for one right after the other."""
LOOK_S = 0.5
SILENCE_S = 600.0
END_S = 2.0


class HeardSession(ABC):
    """A session that is heard through a queue of events, filled by a thread. See `agents.coding.types.Session`."""

    def __init__(self, place: Place, events: queue.Queue[Any]) -> None:
        self.place, self.events = place, events
        self.asked: dict[str, Asked] = {}
        self.texts: dict[str, str] = {}
        self.is_idle = True
        self.failure = ""
        self.heard_at = time.monotonic()

    @abstractmethod
    def hear(self, event: Any) -> None:
        """Take note of one event: fill `asked` and `texts`, set `is_idle` and `failure`."""

    @abstractmethod
    def lost(self, why: str) -> ProgramEnded:
        """Return why there are no more events."""

    def begin_turn(self) -> None:
        self.is_idle, self.failure, self.heard_at = False, "", time.monotonic()

    def listen(self, cancel: CancelToken) -> Pause:
        while True:
            if self.take(SETTLE_S if self.asked or self.is_idle else LOOK_S, cancel):
                continue
            if self.asked:
                return Pause(self._said(), tuple(self.asked.values()))
            if self.failure:
                raise BackendFailed(self.failure)
            if self.is_idle:
                return Pause(self._said())

    def waiting(self) -> tuple[Asked, ...]:
        return tuple(self.asked.values())

    def take(self, timeout_s: float, cancel: CancelToken) -> bool:
        """Take the next event, if one comes in time. Raises Cancelled and BackendFailed."""
        if cancel.is_cancelled:
            raise Cancelled("The run was stopped.")
        try:
            event = self.events.get(timeout=timeout_s)
        except queue.Empty:
            silent_s = time.monotonic() - self.heard_at
            if silent_s > SILENCE_S and not self.is_idle and not self.place.endpoint.is_working:
                raise BackendFailed(
                    f"The coding agent has done nothing for {silent_s / 60:.0f} minutes."
                ) from None
            return False
        if event is END:
            self.events.put(END)
            raise self.lost("its events ended")
        self.hear(event)
        return True

    def last_breach(self) -> str:
        """Hear out what was said until the program ended; return how it did what it had not been let, or nothing."""
        until = time.monotonic() + END_S
        while (left_s := until - time.monotonic()) > 0:
            try:
                event = self.events.get(timeout=left_s)
                if event is END:
                    return ""
                self.hear(event)
            except Breach as breach:
                return str(breach)
            except (queue.Empty, BackendFailed):
                continue
        return ""

    def _said(self) -> str:
        """Return what it said since the last time, in order."""
        text = "\n\n".join(text for text in self.texts.values() if text)
        self.texts.clear()
        return text


def ended(child: Child, said: Kept, why: str) -> ProgramEnded:
    """Return why a program can be reached no more: the limit it broke, or its last words."""
    limit = child.limit if child.wait(1.0) else ""
    if limit:
        return ProgramEnded(f"The coding agent used more than is allowed of {limit} and was stopped.")
    last = said.value().decode(errors="replace").strip().splitlines()[-1:]
    return ProgramEnded(f"The coding agent ended by itself ({why}). {''.join(last)[:300]}".strip())
