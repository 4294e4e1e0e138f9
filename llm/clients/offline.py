"""The stand-in for an organization without a provider: deterministic, no network, drives the real tools."""

from __future__ import annotations

import hashlib
from collections.abc import Generator

from llm.clients.answers import finish
from llm.clients.endpoint import Target
from llm.clients.offline_rules import Seen, answer, to_json
from llm.errors import Cancelled
from llm.types import (
    CancelToken,
    ChatRequest,
    Completed,
    StopReason,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

MODEL_NAME = "offline"


class OfflineModel:
    """Says in one sentence that no model is configured, and otherwise follows `offline_rules`."""

    name = MODEL_NAME

    def __init__(self, target: Target | None = None) -> None:
        self._target = target

    def stream(self, request: ChatRequest, *, cancel: CancelToken) -> Generator[StreamEvent, None, None]:
        if cancel.is_cancelled:
            raise Cancelled("The request was stopped.")
        found = answer(Seen(tools=frozenset(tool.name for tool in request.tools), messages=request.messages))
        if found.text:
            yield TextDelta(found.text)
        calls = [
            ToolCall(id=_call_id(request, index), name=name, arguments=to_json(arguments))
            for index, (name, arguments) in enumerate(found.calls)
        ]
        for index, call in enumerate(calls):
            yield ToolCallDelta(index=index, name=call.name, arguments="")
            yield ToolCallDelta(index=index, name="", arguments=call.arguments)
        response = finish(
            text=found.text,
            tool_calls=calls,
            stop_reason=StopReason.TOOLS if calls else StopReason.END,
            usage=Usage(),
            model=MODEL_NAME,
        )
        yield Completed(response)


def _call_id(request: ChatRequest, index: int) -> str:
    """Derive an identifier from the request: the same request gives the same answer."""
    digest = hashlib.sha256(repr((len(request.messages), request.messages[-1:], index)).encode())
    return "call_" + digest.hexdigest()[:16]
