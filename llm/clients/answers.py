"""What counts as an answer, whoever the vendor is: an empty, cut or malformed one is an error, not a reply."""

from __future__ import annotations

import json
from typing import Any

from llm.errors import BadResponse, RequestRefused
from llm.types import AssistantMessage, ChatResponse, StopReason, ToolCall, Usage

MAX_VENDOR_TEXT = 2_000


def finish(
    *,
    text: str,
    tool_calls: list[ToolCall],
    stop_reason: StopReason,
    usage: Usage,
    model: str,
    replay: dict[str, Any] | None = None,
) -> ChatResponse:
    """Build the final response, or raise BadResponse, or RequestRefused for a silent refusal."""
    if tool_calls and stop_reason is StopReason.LENGTH:
        raise _bad("The model ran out of room in the middle of a tool call.", tool_calls[-1].arguments, usage)
    if not tool_calls and not text.strip() and stop_reason is StopReason.REFUSAL:
        raise RequestRefused("The model declined to answer.", vendor_text="refusal without a word")
    if not tool_calls and not text.strip():
        raise _bad("The model returned an empty answer.", f"stop reason: {stop_reason.value}", usage)
    calls = tuple(_checked(call, usage) for call in tool_calls)
    if calls and stop_reason is StopReason.END:
        stop_reason = StopReason.TOOLS
    message = AssistantMessage(text=text, tool_calls=calls, replay=replay or {})
    return ChatResponse(message=message, usage=usage, stop_reason=stop_reason, model=model)


def _checked(call: ToolCall, usage: Usage) -> ToolCall:
    if not call.name or not call.id:
        raise _bad("The model asked for a tool without naming it.", call.arguments, usage)
    if not call.arguments.strip():
        return ToolCall(call.id, call.name, "{}")
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise _bad("The model sent a tool call that cannot be read.", f"{call.name}: {call.arguments}", usage)
    return call


def _bad(message: str, vendor_text: str, usage: Usage) -> BadResponse:
    return BadResponse(message, vendor_text=vendor_text[:MAX_VENDOR_TEXT], usage=usage)
