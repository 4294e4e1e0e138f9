"""What goes to a chat model and what comes back, whoever the vendor is. Nothing here knows Django."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol


@dataclass(frozen=True)
class ToolSpec:
    """A tool as the model sees it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """All of it as one text: estimates ask for it with each request, and a spec never changes."""
        return self.name + self.description + json.dumps(self.parameters, ensure_ascii=False)


@dataclass(frozen=True)
class ToolCall:
    """A call the model asks for; `arguments` is the JSON text as it came, checked only by the tool."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class UserMessage:
    text: str


@dataclass(frozen=True)
class AssistantMessage:
    """`replay` is what the vendor wants back unchanged with the next request (signed reasoning, say)."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    replay: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolResult:
    call_id: str
    name: str
    text: str
    is_error: bool = False


ChatMessage = UserMessage | AssistantMessage | ToolResult


@dataclass(frozen=True)
class ChatRequest:
    """One request. `system` runs from stable to volatile; all but its last part stay the same between turns.

    `stable_messages` counts the leading messages that will stand unchanged in the next request too: cache
    marks go at their end. Every ToolResult answers a call of the AssistantMessage before it.
    """

    system: tuple[str, ...]
    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    stable_messages: int = 0
    require_tool: bool = False


@dataclass(frozen=True)
class Usage:
    """Tokens by class; `input_tokens` does not include cached ones."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class StopReason(StrEnum):
    END = "end"
    TOOLS = "tools"
    LENGTH = "length"
    REFUSAL = "refusal"


@dataclass(frozen=True)
class ChatResponse:
    message: AssistantMessage
    usage: Usage
    stop_reason: StopReason
    model: str


@dataclass(frozen=True)
class TextDelta:
    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True)
class ToolCallDelta:
    """`index` counts the calls of one response; `name` comes whole and first, `arguments` in pieces."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True)
class Restarted:
    """What was streamed so far is void: the request is tried again, perhaps with another model."""

    reason: str


@dataclass(frozen=True)
class Completed:
    response: ChatResponse


StreamEvent = TextDelta | ReasoningDelta | ToolCallDelta | Restarted | Completed


class ChatModel(Protocol):
    """One model of one provider.

    `stream` yields deltas and, last and once, `Completed`; else it raises LLMError."""

    @property
    def name(self) -> str: ...

    def stream(self, request: ChatRequest, *, cancel: CancelToken) -> Generator[StreamEvent, None, None]: ...


class CancelToken:
    """Tells running work to stop. Callbacks run in the cancelling thread; one added late runs at once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next = 0
        self.reason = ""

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def cancel(self, reason: str) -> None:
        with self._lock:
            if self._event.is_set():
                return
            self.reason = reason
            self._event.set()
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Register `callback` and return a function that takes it back."""
        with self._lock:
            if not self._event.is_set():
                number, self._next = self._next, self._next + 1
                self._callbacks[number] = callback
                return lambda: self._forget(number)
        callback()
        return lambda: None

    def wait(self, timeout_s: float) -> bool:
        """Sleep up to `timeout_s`; True as soon as it is cancelled."""
        return self._event.wait(timeout_s)

    def _forget(self, number: int) -> None:
        with self._lock:
            self._callbacks.pop(number, None)
