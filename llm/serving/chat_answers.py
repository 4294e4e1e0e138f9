"""An answer as OpenAI chat completions has it: whole, or in the frames of a stream."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from llm.types import ChatResponse, StopReason, Usage

FINISH = {
    StopReason.END: "stop",
    StopReason.TOOLS: "tool_calls",
    StopReason.LENGTH: "length",
    StopReason.REFUSAL: "content_filter",
}


def whole(response: ChatResponse, *, model: str, number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": response.message.text or None}
    if response.message.tool_calls:
        message["tool_calls"] = _calls(response)
    choice = {"index": 0, "message": message, "finish_reason": FINISH[response.stop_reason]}
    return {
        **_head(model, number),
        "object": "chat.completion",
        "choices": [choice],
        "usage": _usage(response.usage),
    }


def frames(response: ChatResponse, *, model: str, number: int) -> Iterator[bytes]:
    """Yield the server-sent events of an answer that is there already."""
    head = {**_head(model, number), "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return _frame({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    if response.message.text:
        yield chunk({"content": response.message.text})
    for index, call in enumerate(_calls(response)):
        yield chunk({"tool_calls": [{"index": index, **call}]})
    yield chunk({}, FINISH[response.stop_reason])
    yield _frame({**head, "choices": [], "usage": _usage(response.usage)})
    yield b"data: [DONE]\n\n"


def error_body(status: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "server_error", "code": status}}


def error_frame(status: int, message: str) -> bytes:
    return _frame(error_body(status, message))


def _head(model: str, number: int) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "created": int(time.time()), "model": model}


def _calls(response: ChatResponse) -> list[dict[str, Any]]:
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments or "{}"},
        }
        for call in response.message.tool_calls
    ]


def _usage(usage: Usage) -> dict[str, Any]:
    prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
    }


def _frame(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body, separators=(',', ':'))}\n\n".encode()
