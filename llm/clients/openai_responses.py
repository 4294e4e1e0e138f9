"""OpenAI responses: input items instead of messages, and reasoning that goes back encrypted with the next request."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from llm.clients.answers import finish
from llm.clients.endpoint import Target
from llm.clients.openai_chat import is_openai_itself
from llm.clients.vendor_errors import from_stream
from llm.errors import ProviderUnavailable
from llm.types import (
    AssistantMessage,
    CancelToken,
    ChatMessage,
    ChatRequest,
    ChatResponse,
    Completed,
    ReasoningDelta,
    StopReason,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
)

KIND = "openai_responses"
_REASONS = re.compile(r"(?:o\d|gpt-(?:[5-9]|\d\d))")
_TEXT = {"response.output_text.delta", "response.refusal.delta"}
_REASONING = {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
_ENDS = {"response.completed", "response.incomplete", "response.failed"}


@dataclass(frozen=True)
class OpenAIResponses:
    target: Target

    @property
    def name(self) -> str:
        return self.target.model

    def stream(self, request: ChatRequest, *, cancel: CancelToken) -> Generator[StreamEvent, None, None]:
        from openai import Stream

        from llm.clients.openai_errors import translate
        from llm.clients.pool import borrow, openai_client
        from llm.clients.sse import open_stream

        body = request_body(request, self.target)

        answer = _Answer(model=self.target.model)
        with (
            borrow(openai_client, self.target.endpoint) as client,
            open_stream(
                lambda: client.post(
                    "/responses", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
                ),
                target=self.target,
                cancel=cancel,
                translate=translate,
            ) as events,
        ):
            for event in events:
                yield from answer.read(event)
                if event.get("type") in _ENDS:
                    events.stop()
        yield Completed(answer.finish(events.last_data))


def request_body(request: ChatRequest, target: Target) -> dict[str, Any]:
    """Return the JSON of the request. Nothing is stored at the vendor's."""
    body: dict[str, Any] = {
        "model": target.model,
        "input": [item for message in request.messages for item in _items(message, target)],
        "stream": True,
        "store": False,
        "max_output_tokens": request.max_output_tokens or target.max_output_tokens,
    }
    if request.system:
        body["instructions"] = "\n\n".join(request.system)
    if is_openai_itself(target.endpoint.base_url) and _REASONS.match(target.model):
        body["include"] = ["reasoning.encrypted_content"]
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,
            }
            for tool in request.tools
        ]
        body["tool_choice"] = "required" if request.require_tool else "auto"
    return body


def _items(message: ChatMessage, target: Target) -> list[dict[str, Any]]:
    if isinstance(message, ToolResult):
        output = message.text or "(nothing)"
        return [{"type": "function_call_output", "call_id": message.call_id, "output": output}]
    if not isinstance(message, AssistantMessage):
        return [{"role": "user", "content": message.text}]
    if message.replay.get("kind") == KIND and message.replay.get("model") == target.model:
        replayed: list[dict[str, Any]] = message.replay["items"]
        return replayed
    items: list[dict[str, Any]] = [
        {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments or "{}"}
        for call in message.tool_calls
    ]
    if message.text or not items:
        items.insert(0, {"role": "assistant", "content": message.text or "(nothing)"})
    return items


class _Answer:
    """Collects the events of one answer."""

    def __init__(self, *, model: str) -> None:
        self._asked = model
        self._items: dict[int, dict[str, Any]] = {}
        self._call_numbers: dict[int, int] = {}
        self._response: dict[str, Any] | None = None

    def read(self, event: dict[str, Any]) -> Iterator[StreamEvent]:
        kind = event.get("type", "")
        index = int(event.get("output_index") or 0)
        if kind in _TEXT:
            yield TextDelta(event.get("delta") or "")
        elif kind in _REASONING:
            yield ReasoningDelta(event.get("delta") or "")
        elif kind == "response.output_item.added" and _is_call(event["item"]):
            number = self._call_numbers.setdefault(index, len(self._call_numbers))
            yield ToolCallDelta(index=number, name=event["item"].get("name") or "", arguments="")
        elif kind == "response.function_call_arguments.delta":
            number = self._call_numbers.setdefault(index, len(self._call_numbers))
            yield ToolCallDelta(index=number, name="", arguments=event.get("delta") or "")
        elif kind == "response.output_item.done":
            self._items[index] = event["item"]
        elif kind == "error":
            raise from_stream(event, vendor_text=str(event.get("message") or event))
        elif kind in _ENDS:
            self._response = event.get("response") or {}
            if kind == "response.failed":
                error = self._response.get("error") or {}
                raise from_stream(error, vendor_text=str(error))

    def finish(self, last_data: bytes) -> ChatResponse:
        if self._response is None:
            raise ProviderUnavailable(
                "The model's answer broke off before its end.",
                vendor_text="no response.completed; last data: " + last_data[:300].decode(errors="replace"),
            )
        items = [item for _, item in sorted(self._items.items())] or list(self._response.get("output") or ())
        calls = [
            ToolCall(item.get("call_id") or "", item.get("name") or "", item.get("arguments") or "")
            for item in items
            if _is_call(item)
        ]
        keep = any(item.get("type") == "reasoning" and item.get("encrypted_content") for item in items)
        return finish(
            text="".join(_texts(items)),
            tool_calls=calls,
            stop_reason=self._stop_reason(has_calls=bool(calls)),
            usage=read_usage(self._response.get("usage") or {}),
            model=self._response.get("model") or self._asked,
            replay={"kind": KIND, "model": self._asked, "items": items} if keep else None,
        )

    def _stop_reason(self, *, has_calls: bool) -> StopReason:
        response = self._response or {}
        if response.get("status") == "incomplete":
            reason = (response.get("incomplete_details") or {}).get("reason")
            return StopReason.REFUSAL if reason == "content_filter" else StopReason.LENGTH
        return StopReason.TOOLS if has_calls else StopReason.END


def _is_call(item: dict[str, Any]) -> bool:
    return item.get("type") == "function_call"


def _texts(items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        if item.get("type") == "message":
            for part in item.get("content") or ():
                yield part.get("text") or part.get("refusal") or ""


def read_usage(usage: dict[str, Any]) -> Usage:
    """Split the cached tokens out of the input; reasoning stays part of the output, as it is billed."""
    cached = int((usage.get("input_tokens_details") or {}).get("cached_tokens") or 0)
    return Usage(
        input_tokens=max(0, int(usage.get("input_tokens") or 0) - cached),
        output_tokens=int(usage.get("output_tokens") or 0),
        cache_read_tokens=cached,
        reasoning_tokens=int((usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0),
    )
