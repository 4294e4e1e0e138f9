"""Anthropic messages, and what speaks the same."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from llm.clients.answers import finish
from llm.clients.anthropic_request import KIND, request_body
from llm.clients.endpoint import Target
from llm.clients.vendor_errors import from_stream
from llm.errors import ProviderUnavailable
from llm.types import (
    CancelToken,
    ChatRequest,
    ChatResponse,
    Completed,
    ReasoningDelta,
    StopReason,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

STOP_REASONS = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "pause_turn": StopReason.END,
    "tool_use": StopReason.TOOLS,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "refusal": StopReason.REFUSAL,
}


@dataclass(frozen=True)
class AnthropicMessages:
    target: Target

    @property
    def name(self) -> str:
        return self.target.model

    def stream(self, request: ChatRequest, *, cancel: CancelToken) -> Generator[StreamEvent, None, None]:
        from anthropic import Stream

        from llm.clients.anthropic_errors import translate
        from llm.clients.pool import anthropic_client, borrow
        from llm.clients.sse import open_stream

        body = request_body(request, self.target)

        answer = _Answer(model=self.target.model)
        with (
            borrow(anthropic_client, self.target.endpoint) as client,
            open_stream(
                lambda: client.post(
                    "/v1/messages", cast_to=object, body=body, stream=True, stream_cls=Stream[object]
                ),
                target=self.target,
                cancel=cancel,
                translate=translate,
            ) as events,
        ):
            for event in events:
                yield from answer.read(event)
                if event.get("type") == "message_stop":
                    events.stop()
        yield Completed(answer.finish(events.last_data))


class _Answer:
    """Collects the events of one answer."""

    def __init__(self, *, model: str) -> None:
        self._asked = self._model = model
        self._blocks: dict[int, dict[str, Any]] = {}
        self._call_numbers: dict[int, int] = {}
        self._usage: dict[str, Any] = {}
        self._stop: StopReason | None = None
        self._is_whole = False

    def read(self, event: dict[str, Any]) -> Iterator[StreamEvent]:
        kind = event.get("type")
        if kind == "message_start":
            message = event.get("message") or {}
            self._model = message.get("model") or self._model
            self._usage.update(message.get("usage") or {})
        elif kind == "content_block_start":
            yield from self._start(int(event["index"]), dict(event.get("content_block") or {}))
        elif kind == "content_block_delta":
            yield from self._extend(int(event["index"]), event.get("delta") or {})
        elif kind == "message_delta":
            reason = (event.get("delta") or {}).get("stop_reason")
            if reason:
                self._stop = STOP_REASONS.get(reason, StopReason.END)
            self._usage.update({k: v for k, v in (event.get("usage") or {}).items() if v is not None})
        elif kind == "message_stop":
            self._is_whole = True
        elif kind == "error":
            raise from_stream(event, vendor_text=json.dumps(event.get("error") or event))

    def finish(self, last_data: bytes) -> ChatResponse:
        if self._stop is None or not self._is_whole:
            raise ProviderUnavailable(
                "The model's answer broke off before its end.",
                vendor_text="no message_stop; last data: " + last_data[:300].decode(errors="replace"),
            )
        blocks = [block for _, block in sorted(self._blocks.items())]
        calls = [
            ToolCall(block.get("id") or "", block.get("name") or "", _arguments(block))
            for block in blocks
            if block["type"] == "tool_use"
        ]
        return finish(
            text="".join(block["text"] for block in blocks if block["type"] == "text"),
            tool_calls=calls,
            stop_reason=self._stop,
            usage=read_usage(self._usage),
            model=self._model,
            replay=self._replay(blocks, calls),
        )

    def _replay(self, blocks: list[dict[str, Any]], calls: list[ToolCall]) -> dict[str, Any] | None:
        """Return the blocks for the next request, if there is signed reasoning among them."""
        if not any(block["type"] in ("thinking", "redacted_thinking") for block in blocks):
            return None
        kept = []
        for block in blocks:
            if block["type"] == "text" and not block["text"].strip():
                continue
            block = {key: value for key, value in block.items() if key != "partial_json"}
            if block["type"] == "tool_use":
                arguments = next(call.arguments for call in calls if call.id == block.get("id"))
                block["input"] = _object(arguments)
            kept.append(block)
        return {"kind": KIND, "model": self._asked, "blocks": kept}

    def _start(self, index: int, block: dict[str, Any]) -> Iterator[StreamEvent]:
        self._blocks[index] = block
        kind = block.setdefault("type", "text")
        if kind == "text":
            block.setdefault("text", "")
            if block["text"]:
                yield TextDelta(block["text"])
        elif kind == "thinking":
            block.setdefault("thinking", "")
        elif kind == "tool_use":
            block["partial_json"] = []
            number = self._call_numbers.setdefault(index, len(self._call_numbers))
            yield ToolCallDelta(index=number, name=block.get("name") or "", arguments="")

    def _extend(self, index: int, delta: dict[str, Any]) -> Iterator[StreamEvent]:
        block, kind = self._blocks.setdefault(index, {"type": "text", "text": ""}), delta.get("type")
        if kind == "text_delta":
            block["text"] += delta["text"]
            yield TextDelta(delta["text"])
        elif kind == "thinking_delta":
            block["thinking"] += delta["thinking"]
            yield ReasoningDelta(delta["thinking"])
        elif kind == "signature_delta":
            block["signature"] = block.get("signature", "") + delta["signature"]
        elif kind == "input_json_delta":
            block["partial_json"].append(delta["partial_json"])
            number = self._call_numbers.setdefault(index, len(self._call_numbers))
            yield ToolCallDelta(index=number, name="", arguments=delta["partial_json"])


def _arguments(block: dict[str, Any]) -> str:
    """Return the JSON text of a call: streamed in pieces, or whole at the start from some who speak the same."""
    streamed = "".join(block.get("partial_json") or ())
    return streamed or json.dumps(block.get("input") or {}, ensure_ascii=False)


def _object(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return {}


def read_usage(usage: dict[str, Any]) -> Usage:
    """Read the tokens by class; reasoning is counted by the vendor as output and not told apart."""
    return Usage(
        input_tokens=int(usage.get("input_tokens") or 0),
        output_tokens=int(usage.get("output_tokens") or 0),
        cache_read_tokens=int(usage.get("cache_read_input_tokens") or 0),
        cache_write_tokens=int(usage.get("cache_creation_input_tokens") or 0),
    )
