"""A request in the shape of Anthropic's messages, with the marks up to where a prompt may be cached."""

from __future__ import annotations

import json
from typing import Any

from llm.clients.endpoint import Target
from llm.types import AssistantMessage, ChatMessage, ChatRequest, ToolResult

KIND = "anthropic"
EPHEMERAL = {"type": "ephemeral"}


def request_body(request: ChatRequest, target: Target) -> dict[str, Any]:
    """Return the JSON of the request, with up to three cache marks: stable system, tools, stable messages."""
    body: dict[str, Any] = {
        "model": target.model,
        "messages": _messages(request, target),
        "max_tokens": request.max_output_tokens or target.max_output_tokens,
        "stream": True,
    }
    system: list[dict[str, Any]] = [{"type": "text", "text": part} for part in request.system if part.strip()]
    if system:
        # The last part changes between turns, so the mark goes before it.
        if len(system) > 1:
            system[-2]["cache_control"] = EPHEMERAL
        body["system"] = system
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
        body["tools"][-1]["cache_control"] = EPHEMERAL
        body["tool_choice"] = {"type": "any" if request.require_tool else "auto"}
    return body


def _messages(request: ChatRequest, target: Target) -> list[dict[str, Any]]:
    """Return the messages: roles alternate, the first and the last are the user's."""
    turns: list[dict[str, Any]] = []
    for position, message in enumerate(request.messages, start=1):
        role = "assistant" if isinstance(message, AssistantMessage) else "user"
        blocks = _blocks(message, target)
        if position == request.stable_messages and blocks[-1]["type"] not in (
            "thinking",
            "redacted_thinking",
        ):
            blocks[-1] = {**blocks[-1], "cache_control": EPHEMERAL}
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    if not turns or turns[0]["role"] != "user":
        turns.insert(0, _user("(The conversation began earlier.)"))
    if turns[-1]["role"] != "user":
        # A last message of the assistant would be taken for the beginning of its answer.
        turns.append(_user("(Continue.)"))
    return turns


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def _blocks(message: ChatMessage, target: Target) -> list[dict[str, Any]]:
    if isinstance(message, ToolResult):
        block = {
            "type": "tool_result",
            "tool_use_id": message.call_id,
            "content": message.text or "(nothing)",
        }
        return [{**block, "is_error": True} if message.is_error else block]
    if not isinstance(message, AssistantMessage):
        return [{"type": "text", "text": message.text if message.text.strip() else "(nothing)"}]
    if message.replay.get("kind") == KIND and message.replay.get("model") == target.model:
        return list(message.replay["blocks"])
    blocks: list[dict[str, Any]] = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call.arguments)}
        for call in message.tool_calls
    ]
    if message.text.strip() or not blocks:
        blocks.insert(0, {"type": "text", "text": message.text.strip() or "(nothing)"})
    return blocks


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments as the object that the vendor insists on."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {"unreadable": text}
    return found if isinstance(found, dict) else {"unreadable": text}
