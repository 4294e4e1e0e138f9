"""An answer in the frames of OpenAI chat completions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llm.fakes.pieces import arguments_text, call_id, frame, split
from llm.fakes.replies import FakeReply, FakeRequest

DONE = b"data: [DONE]\n\n"


def frames(request: FakeRequest, reply: FakeReply) -> Iterator[bytes]:
    """Yield the server-sent events of the stream."""

    def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        body = {
            "id": f"chatcmpl-{request.number}",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
        }
        return frame({**body, "model": request.model, "choices": choices, **more})

    yield chunk({"role": "assistant", "content": ""})
    for piece in split(reply.reasoning, reply.chunks):
        yield chunk({"reasoning_content": piece})
    for piece in split(reply.text, reply.chunks):
        yield chunk({"content": piece})
    for index, (name, arguments) in enumerate(reply.tool_calls):
        start = {
            "id": call_id(request, index),
            "type": "function",
            "function": {"name": name, "arguments": ""},
        }
        yield chunk({"tool_calls": [{"index": index, **start}]})
        for piece in split(arguments_text(arguments), reply.chunks):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, "length" if reply.is_truncated else "tool_calls" if reply.tool_calls else "stop")
    if (request.body.get("stream_options") or {}).get("include_usage"):
        prompt = reply.input_tokens + reply.cached_tokens
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": reply.output_tokens,
            "total_tokens": prompt + reply.output_tokens,
            "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
        }
        yield chunk(None, usage=usage)
    yield DONE


def error_frame(message: str) -> bytes:
    return f"data: {json.dumps({'error': {'message': message, 'type': 'server_error', 'code': None}})}\n\n".encode()
