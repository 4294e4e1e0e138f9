"""Chat messages as JSON, for steps. The forms are stored for good: add fields, never change their meaning."""

from __future__ import annotations

from typing import Any

from llm.types import AssistantMessage, ChatMessage, ChatResponse, ToolCall, ToolResult, UserMessage


def encode(message: ChatMessage) -> dict[str, Any]:
    match message:
        case UserMessage(text=text):
            return {"role": "user", "text": text}
        case AssistantMessage(text=text, tool_calls=calls, replay=replay):
            form: dict[str, Any] = {"role": "assistant", "text": text}
            if calls:
                form["calls"] = [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in calls]
            if replay:
                form["replay"] = replay
            return form
        case ToolResult(call_id=call_id, name=name, text=text, is_error=is_error):
            return {"role": "tool", "call_id": call_id, "name": name, "text": text, "is_error": is_error}


def decode(form: dict[str, Any]) -> ChatMessage:
    if form["role"] == "user":
        return UserMessage(form["text"])
    if form["role"] == "tool":
        return ToolResult(form["call_id"], form["name"], form["text"], form["is_error"])
    calls = tuple(ToolCall(c["id"], c["name"], c["arguments"]) for c in form.get("calls", ()))
    return AssistantMessage(form["text"], calls, form.get("replay", {}))


def encode_response(response: ChatResponse) -> dict[str, Any]:
    return encode(response.message)
