"""A chat model that says what a test wrote down: a list of steps, or a function of the request.

say("Thursday.")                          an answer
call("recall", query="deploy day")        an answer that calls a tool
fail(RateLimited("..."))                  an error instead
say("slowly", chunks=4, delay_s=0.1)      a stream with pauses
hang()                                    nothing, until it is cancelled
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from llm.clients.answers import finish
from llm.clients.endpoint import Target
from llm.errors import Cancelled, LLMError, NotConfigured
from llm.types import (
    CancelToken,
    ChatRequest,
    Completed,
    ReasoningDelta,
    StopReason,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

HANG_S = 3_600.0
SOME_USAGE = Usage(input_tokens=10, output_tokens=5)
_ids = itertools.count(1)


@dataclass(frozen=True)
class Scripted:
    """One answer. The error, if any, comes after what was streamed; `delay_s` is waited before each chunk."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = SOME_USAGE
    stop_reason: StopReason = StopReason.END
    error: LLMError | None = None
    delay_s: float = 0.0
    chunks: int = 1
    replay: tuple[tuple[str, Any], ...] = ()

    def __add__(self, other: Scripted) -> Scripted:
        """Join two answers into one with all their text and calls."""
        return replace(self, text=self.text + other.text, tool_calls=self.tool_calls + other.tool_calls)


Step = Scripted | Callable[[ChatRequest], Scripted]
Script = Iterable[Step] | Callable[[ChatRequest], Scripted]


def say(text: str, **options: Any) -> Scripted:
    return Scripted(text=text, **options)


def call(tool: str, /, **arguments: Any) -> Scripted:
    found = ToolCall(id=f"call_{next(_ids)}", name=tool, arguments=json.dumps(arguments, ensure_ascii=False))
    return Scripted(tool_calls=(found,))


def fail(error: LLMError, **options: Any) -> Scripted:
    return Scripted(error=error, **options)


def hang() -> Scripted:
    return Scripted(text="never", delay_s=HANG_S)


class ScriptedModel:
    """Plays a script and keeps the requests it saw. Safe to use from several threads."""

    def __init__(self, script: Script, *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[ChatRequest] = []
        self._lock = threading.Lock()
        self._function = script if callable(script) else None
        self._steps = iter(()) if callable(script) else iter(script)

    def stream(self, request: ChatRequest, *, cancel: CancelToken) -> Generator[StreamEvent, None, None]:
        step = self._next(request)
        yield from self._deltas(step, cancel)
        if step.error is not None:
            raise step.error
        response = finish(
            text=step.text,
            tool_calls=list(step.tool_calls),
            stop_reason=step.stop_reason,
            usage=step.usage,
            model=self.name,
            replay=dict(step.replay),
        )
        yield Completed(response)

    def _next(self, request: ChatRequest) -> Scripted:
        with self._lock:
            self.requests.append(request)
            step: Step | None = self._function or next(self._steps, None)
        if step is None:
            raise NotConfigured(f"The script of {self.name} has no step left.")
        return step(request) if callable(step) else step

    def _deltas(self, step: Scripted, cancel: CancelToken) -> Iterator[StreamEvent]:
        for delta in _split(step):
            if step.delay_s:
                cancel.wait(step.delay_s)
            if cancel.is_cancelled:
                raise Cancelled("The request was stopped.")
            yield delta
        if cancel.is_cancelled:
            raise Cancelled("The request was stopped.")


def _split(step: Scripted) -> Iterator[StreamEvent]:
    if step.reasoning:
        yield ReasoningDelta(step.reasoning)
    size = max(1, -(-len(step.text) // max(1, step.chunks)))
    for start in range(0, len(step.text), size):
        yield TextDelta(step.text[start : start + size])
    for index, wanted in enumerate(step.tool_calls):
        yield ToolCallDelta(index=index, name=wanted.name, arguments="")
        yield ToolCallDelta(index=index, name="", arguments=wanted.arguments)


_installed: dict[str, ScriptedModel] = {}


def install(name: str, script: Script) -> ScriptedModel:
    """Let the model called `name` of every provider of kind `scripted` in this process play `script`."""
    model = ScriptedModel(script, name=name)
    _installed[name] = model
    return model


def uninstall(name: str) -> None:
    _installed.pop(name, None)


def from_target(target: Target) -> ScriptedModel:
    """Return the installed script of that name."""
    if target.model not in _installed:
        raise NotConfigured(f"No script is installed for {target.model}.")
    return _installed[target.model]
