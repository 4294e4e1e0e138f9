"""OpenAI chat completions, and what speaks the same: vLLM, Ollama, OpenRouter, Groq, DeepSeek and many more."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llm.clients.answers import finish
from llm.clients.endpoint import Target
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

STOP_REASONS = {
    "stop": StopReason.END,
    "tool_calls": StopReason.TOOLS,
    "function_call": StopReason.TOOLS,
    "length": StopReason.LENGTH,
    "content_filter": StopReason.REFUSAL,
}


@dataclass(frozen=True)
class OpenAIChat:
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
                    "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
                ),
                target=self.target,
                cancel=cancel,
                translate=translate,
            ) as chunks,
        ):
            for chunk in chunks:
                yield from answer.read(chunk)
        yield Completed(answer.finish(chunks.last_data))


def request_body(request: ChatRequest, target: Target) -> dict[str, Any]:
    """Return the JSON of the request."""
    messages = [_message(message) for message in request.messages]
    if request.system:
        messages.insert(0, {"role": "system", "content": "\n\n".join(request.system)})
    limit = request.max_output_tokens or target.max_output_tokens
    body: dict[str, Any] = {
        "model": target.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens" if is_openai_itself(target.endpoint.base_url) else "max_tokens": limit,
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in request.tools
        ]
        body["tool_choice"] = "required" if request.require_tool else "auto"
    return body


def is_openai_itself(base_url: str) -> bool:
    """Tell the vendor from those who speak its language: the vendor has renamed some parameters."""
    host = urlsplit(base_url).hostname or ""
    return not base_url or host == "openai.com" or host.endswith(".openai.com")


def _message(message: ChatMessage) -> dict[str, Any]:
    if isinstance(message, ToolResult):
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text or "(nothing)"}
    if not isinstance(message, AssistantMessage):
        return {"role": "user", "content": message.text}
    body: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in message.tool_calls
        ]
    elif not message.text:
        body["content"] = "(nothing)"
    return body


class _Answer:
    """Collects the chunks of one answer."""

    def __init__(self, *, model: str) -> None:
        self._model = model
        self._text: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._stop: StopReason | None = None
        self._usage = Usage()

    def read(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        if chunk.get("error"):
            raise from_stream(chunk, vendor_text=str(chunk["error"]))
        self._model = chunk.get("model") or self._model
        if chunk.get("usage"):
            self._usage = read_usage(chunk["usage"])
        for choice in chunk.get("choices") or ():
            yield from self._read_delta(choice.get("delta") or {})
            if choice.get("finish_reason"):
                self._stop = STOP_REASONS.get(choice["finish_reason"], StopReason.END)

    def finish(self, last_data: bytes) -> ChatResponse:
        if self._stop is None:
            raise ProviderUnavailable(
                "The model's answer broke off before its end.",
                vendor_text="no finish_reason; last data: " + last_data[:300].decode(errors="replace"),
            )
        calls = [
            ToolCall(
                id=call["id"] or f"call_{index}", name=call["name"], arguments="".join(call["arguments"])
            )
            for index, call in sorted(self._calls.items())
        ]
        return finish(
            text="".join(self._text),
            tool_calls=calls,
            stop_reason=self._stop,
            usage=self._usage,
            model=self._model,
        )

    def _read_delta(self, delta: dict[str, Any]) -> Iterator[StreamEvent]:
        if text := delta.get("content") or delta.get("refusal"):
            self._text.append(text)
            yield TextDelta(text)
        # Not in OpenAI's own protocol; DeepSeek, vLLM and OpenRouter stream reasoning under these names.
        if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
            yield ReasoningDelta(str(reasoning))
        for part in delta.get("tool_calls") or ():
            yield self._read_call(part)

    def _read_call(self, part: dict[str, Any]) -> ToolCallDelta:
        index = part.get("index")
        index = len(self._calls) if index is None else int(index)
        call = self._calls.setdefault(index, {"id": "", "name": "", "arguments": []})
        function = part.get("function") or {}
        call["id"] = part.get("id") or call["id"]
        name = function.get("name") or ""
        call["name"] = call["name"] or name
        arguments = function.get("arguments") or ""
        call["arguments"].append(arguments)
        return ToolCallDelta(index=index, name=name, arguments=arguments)


def read_usage(usage: dict[str, Any]) -> Usage:
    """Split the cached tokens out of the prompt; reasoning stays part of the output, as it is billed."""
    cached = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
    return Usage(
        input_tokens=max(0, int(usage.get("prompt_tokens") or 0) - cached),
        output_tokens=int(usage.get("completion_tokens") or 0),
        cache_read_tokens=cached,
        reasoning_tokens=int((usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0),
    )
