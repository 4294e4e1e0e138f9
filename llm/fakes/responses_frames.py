"""An answer in the frames of OpenAI responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm.fakes.pieces import arguments_text, call_id, frame, split
from llm.fakes.replies import FakeReply, FakeRequest


def frames(request: FakeRequest, reply: FakeReply) -> Iterator[bytes]:
    """Yield the server-sent events of the stream."""
    response: dict[str, Any] = {
        "id": f"resp_{request.number}",
        "object": "response",
        "model": request.model,
        "status": "in_progress",
        "output": [],
    }
    yield _event("response.created", response=response)
    output: list[dict[str, Any]] = []
    for item, deltas in _items(request, reply):
        index = len(output)
        yield _event("response.output_item.added", output_index=index, item={**item, **_EMPTY[item["type"]]})
        for kind, delta in deltas:
            yield _event(kind, output_index=index, item_id=item["id"], delta=delta)
        yield _event("response.output_item.done", output_index=index, item=item)
        output.append(item)
    usage = {
        "input_tokens": reply.input_tokens + reply.cached_tokens,
        "input_tokens_details": {"cached_tokens": reply.cached_tokens},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    response = {**response, "output": output, "usage": usage, "status": "completed"}
    if reply.is_truncated:
        response |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
        yield _event("response.incomplete", response=response)
    else:
        yield _event("response.completed", response=response)


_EMPTY: dict[str, dict[str, Any]] = {
    "reasoning": {"summary": [], "encrypted_content": ""},
    "message": {"content": []},
    "function_call": {"arguments": ""},
}


def _items(request: FakeRequest, reply: FakeReply) -> Iterator[tuple[dict[str, Any], list[tuple[str, str]]]]:
    """Yield each output item with the deltas that announce it."""
    number = request.number
    if reply.reasoning:
        item = {
            "type": "reasoning",
            "id": f"rs_{number}",
            "summary": [{"type": "summary_text", "text": reply.reasoning}],
            "encrypted_content": "c2VhbGVk",
        }
        pieces = split(reply.reasoning, reply.chunks)
        yield item, [("response.reasoning_summary_text.delta", piece) for piece in pieces]
    if reply.text:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": content}
        yield item, [("response.output_text.delta", piece) for piece in split(reply.text, reply.chunks)]
    for index, (name, arguments) in enumerate(reply.tool_calls):
        text = arguments_text(arguments)
        item = {
            "type": "function_call",
            "id": f"fc_{number}_{index}",
            "call_id": call_id(request, index),
            "name": name,
            "arguments": text,
        }
        yield item, [("response.function_call_arguments.delta", piece) for piece in split(text, reply.chunks)]


def _event(kind: str, **more: Any) -> bytes:
    return frame({"type": kind, **more}, event=kind)


def error_frame(message: str) -> bytes:
    return _event("error", code="server_error", message=message, param=None)
