"""What a backend is, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from llm.types import CancelToken

if TYPE_CHECKING:
    from agents.coding.place import Place

OnText = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """A call that the backend wants to make, or a question to people (`tool` is then "ask").

    `tool` is the name of ours whose policy holds for it, `arguments` are those of its stand-in in `agents.tools.coding`.
    """

    id: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Pause:
    """Why a backend stopped: for what it asks, or, without that, because its turn is over. `text` is new since the last."""

    text: str
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class CallEnd:
    text: str
    has_failed: bool = False


class Session(Protocol):
    """One conversation with a backend, in one run of its program. Used by one thread.

    `id` takes it up again in a later program. Whatever waits raises BackendFailed, and `Cancelled` when the token says so.
    """

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> str:
        """The backend and its version, as it is shown."""

    def has_heard(self, text: str) -> bool:
        """Say whether the newest thing said to it is this."""

    def say(self, text: str) -> None: ...

    def listen(self, cancel: CancelToken) -> Pause:
        """Wait until it asks something, or has nothing more to do."""

    def waiting(self) -> tuple[Asked, ...]:
        """Return what it asked and was not told yet."""

    def allow(self, asked: Asked) -> None:
        """Let it make the call, this once."""

    def refuse(self, asked: Asked, reason: str) -> None: ...

    def end_of(self, asked: Asked, cancel: CancelToken, on_output: Callable[[bytes], None]) -> CallEnd:
        """Wait for the end of a call that was allowed."""

    def close(self) -> str:
        """End its program; return how it did at last what it had not been let, or nothing."""


class Backend(Protocol):
    name: str
    title: str

    def find(self) -> Path:
        """Return its program. Raises NoBackend, with what to do."""

    def start(
        self, place: Place, program: Path, *, session_id: str, instructions: str, on_text: OnText
    ) -> Session:
        """Start the program and open a session, the one of that id where it still knows it. Raises BackendFailed.

        `on_text` hears what it says as it says it.
        """
