"""An answer in the frames of Anthropic messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm.fakes.pieces import arguments_text, call_id, frame, split
from llm.fakes.replies import FakeReply, FakeRequest


def frames(request: FakeRequest, reply: FakeReply) -> Iterator[bytes]:
    """Yield the server-sent events of the stream."""
    usage = {
        "input_tokens": reply.input_tokens,
        "cache_read_input_tokens": reply.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": 1,
    }
    message = {"id": f"msg_{request.number}", "type": "message", "role": "assistant", "content": []}
    yield _event("message_start", message={**message, "model": request.model, "usage": usage})
    yield _event("ping")
    for index, (block, deltas) in enumerate(_blocks(request, reply)):
        yield _event("content_block_start", index=index, content_block=block)
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    stop = "max_tokens" if reply.is_truncated else "tool_use" if reply.tool_calls else "end_turn"
    yield _event("message_delta", delta={"stop_reason": stop}, usage={"output_tokens": reply.output_tokens})
    yield _event("message_stop")


def _blocks(request: FakeRequest, reply: FakeReply) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield the start of each block with its deltas."""
    if reply.reasoning:
        pieces = split(reply.reasoning, reply.chunks)
        deltas: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
        signature = {"type": "signature_delta", "signature": "c2lnbmVk"}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]
    if reply.text:
        pieces = split(reply.text, reply.chunks)
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces]
    for index, (name, arguments) in enumerate(reply.tool_calls):
        block = {"type": "tool_use", "id": call_id(request, index), "name": name, "input": {}}
        pieces = split(arguments_text(arguments), reply.chunks)
        yield block, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def _event(kind: str, **more: Any) -> bytes:
    return frame({"type": kind, **more}, event=kind)


def error_frame(message: str) -> bytes:
    return _event("error", error={"type": "overloaded_error", "message": message})
