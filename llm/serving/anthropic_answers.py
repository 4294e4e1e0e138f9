"""An answer as Anthropic messages has it: whole, or in the frames of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llm.types import ChatResponse, StopReason, Usage

STOP = {
    StopReason.END: "end_turn",
    StopReason.TOOLS: "tool_use",
    StopReason.LENGTH: "max_tokens",
    StopReason.REFUSAL: "refusal",
}
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def whole(response: ChatResponse, *, model: str, number: int) -> dict[str, Any]:
    return {
        **_head(model, number),
        "content": _blocks(response),
        "stop_reason": STOP[response.stop_reason],
        "stop_sequence": None,
        "usage": _usage(response.usage),
    }


def frames(response: ChatResponse, *, model: str, number: int) -> Iterator[bytes]:
    """Yield the server-sent events of an answer that is there already."""
    usage = {**_usage(response.usage), "output_tokens": 1}
    start = {
        **_head(model, number),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield _frame("message_start", message=start)
    for index, block in enumerate(_blocks(response)):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            arguments = json.dumps(block["input"], ensure_ascii=False)
            empty, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": arguments}
        yield _frame("content_block_start", index=index, content_block=empty)
        yield _frame("content_block_delta", index=index, delta=delta)
        yield _frame("content_block_stop", index=index)
    end = {"stop_reason": STOP[response.stop_reason], "stop_sequence": None}
    yield _frame("message_delta", delta=end, usage={"output_tokens": response.usage.output_tokens})
    yield _frame("message_stop")


def error_body(status: int, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": ERRORS.get(status, "api_error"), "message": message}}


def error_frame(status: int, message: str) -> bytes:
    body = error_body(status, message)
    return _frame("error", error=body["error"])


def _head(model: str, number: int) -> dict[str, Any]:
    return {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": model}


def _blocks(response: ChatResponse) -> list[dict[str, Any]]:
    text = response.message.text
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    for call in response.message.tool_calls:
        blocks.append(
            {"type": "tool_use", "id": call.id, "name": call.name, "input": _object(call.arguments)}
        )
    return blocks


def _object(arguments: str) -> dict[str, Any]:
    """Return the arguments of a call; what is no object is passed on under a name that no tool takes."""
    try:
        found = json.loads(arguments or "{}")
    except ValueError:
        found = arguments
    return found if isinstance(found, dict) else {"malformed": found}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
    }


def _frame(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more}, separators=(',', ':'))}\n\n".encode()
