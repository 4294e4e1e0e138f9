"""Requests in the vendors' wire formats as our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llm.types import AssistantMessage, ChatMessage, ChatRequest, ToolCall, ToolResult, ToolSpec, UserMessage

TEXTS = frozenset({"text", "input_text", "output_text", "tool_use", "thinking", "redacted_thinking"})
"""Parts that are text, or are looked for elsewhere."""
LEFT_OUT = "[a picture or file, which is not passed on]"


def read_request(style: str, body: dict[str, Any]) -> ChatRequest:
    """Return a request of style "openai" (chat completions) or "anthropic". Raises ValueError for what is not one."""
    try:
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        return ChatRequest(
            system=read_system(style, body),
            messages=read_messages(style, body),
            tools=tuple(_spec(tool) for tool in body.get("tools") or ()),
            max_output_tokens=int(limit) if limit else None,
            require_tool=_requires_tool(body.get("tool_choice")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a request: {error!r}") from None


def read_system(style: str, body: dict[str, Any]) -> tuple[str, ...]:
    if style == "anthropic":
        system = body.get("system") or ()
        parts = [system] if isinstance(system, str) else [str(part.get("text") or "") for part in system]
    else:
        heads = ("system", "developer")
        messages = body.get("messages") or ()
        parts = [_text(each.get("content")) for each in messages if each["role"] in heads]
    return tuple(part for part in parts if part)


def read_tools(body: dict[str, Any]) -> frozenset[str]:
    """Return the names of the tools on offer."""
    return frozenset(str((tool.get("function") or tool).get("name")) for tool in body.get("tools") or ())


def _spec(tool: dict[str, Any]) -> ToolSpec:
    function = tool.get("function") or tool
    parameters = function.get("parameters") or function.get("input_schema") or {"type": "object"}
    return ToolSpec(str(function["name"]), str(function.get("description") or ""), dict(parameters))


def _requires_tool(choice: Any) -> bool:
    kind = choice.get("type") if isinstance(choice, dict) else choice
    return kind in ("required", "any", "tool", "function")


def read_messages(style: str, body: dict[str, Any]) -> tuple[ChatMessage, ...]:
    """Return the messages without the system prompt."""
    if style == "anthropic":
        found = list(_from_anthropic(body.get("messages") or ()))
    elif style == "responses":
        found = list(_from_items(body.get("input") or ()))
    else:
        found = list(_from_chat(body.get("messages") or ()))
    return _named(found)


def _from_chat(messages: Any) -> Iterator[ChatMessage]:
    for message in messages:
        text = _text(message.get("content"))
        if message["role"] == "user":
            yield UserMessage(text)
        elif message["role"] == "tool":
            yield ToolResult(message["tool_call_id"], "", text)
        elif message["role"] == "assistant":
            calls = message.get("tool_calls") or ()
            yield AssistantMessage(
                text,
                tuple(ToolCall(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls),
            )


def _from_items(items: Any) -> Iterator[ChatMessage]:
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call":
            call = ToolCall(item["call_id"], item["name"], item["arguments"])
            yield AssistantMessage("", (call,))
        elif kind == "function_call_output":
            yield ToolResult(item["call_id"], "", item["output"])
        elif kind == "message":
            text = _text(item.get("content"))
            yield UserMessage(text) if item.get("role") == "user" else AssistantMessage(text)


def _from_anthropic(messages: Any) -> Iterator[ChatMessage]:
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if message["role"] == "assistant":
            calls = tuple(
                ToolCall(b["id"], b["name"], json.dumps(b["input"]))
                for b in blocks
                if b["type"] == "tool_use"
            )
            yield AssistantMessage(_text(blocks), calls)
            continue
        for block in blocks:
            if block["type"] == "tool_result":
                text = _text(block.get("content"))
                yield ToolResult(block["tool_use_id"], "", text, bool(block.get("is_error")))
            elif block["type"] == "text":
                yield UserMessage(block["text"])


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(
        str(part.get("text") or "") if part.get("type", "text") in TEXTS else LEFT_OUT
        for part in content or ()
    )


def _named(messages: list[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Give tool results the names of their calls, which the wire leaves out."""
    names: dict[str, str] = {}
    named: list[ChatMessage] = []
    for message in messages:
        if isinstance(message, AssistantMessage):
            names.update({call.id: call.name for call in message.tool_calls})
        if isinstance(message, ToolResult):
            name = names.get(message.call_id, "")
            message = ToolResult(message.call_id, name, message.text, message.is_error)
        named.append(message)
    return tuple(named)
