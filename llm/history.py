"""A history that every vendor accepts: each tool call has its one result right behind it, in order."""

from __future__ import annotations

from collections.abc import Sequence

from llm.types import AssistantMessage, ChatMessage, ToolCall, ToolResult, UserMessage

NO_RESULT = "Interrupted: the result of this call is unknown."
MAX_ORPHAN_CHARS = 1_024


def repair(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Return `messages` with the pairing mended; what is sound already comes back equal.

    A call without a result gets one that says so. A result that answers no open call becomes plain user text, and
    so does a second result of the same call. Results stand in the order of their calls.
    """
    mended: list[ChatMessage] = []
    used_ids: set[str] = set()
    position = 0
    while position < len(messages):
        message = messages[position]
        position += 1
        if isinstance(message, ToolResult):
            mended.append(_as_text(message))
        elif isinstance(message, AssistantMessage) and message.tool_calls:
            results: list[ToolResult] = []
            while position < len(messages) and isinstance(found := messages[position], ToolResult):
                results.append(found)
                position += 1
            mended += _pair(message, results, used_ids)
        else:
            mended.append(message)
    return tuple(mended)


def _pair(message: AssistantMessage, results: list[ToolResult], used_ids: set[str]) -> list[ChatMessage]:
    """Return the message and its results one to one, then the text of results that fit nothing."""
    open_results = list(results)
    calls: list[ToolCall] = []
    answers: list[ToolResult] = []
    for call in message.tool_calls:
        found = next((r for r in open_results if r.call_id == call.id), None)
        if found is not None:
            open_results.remove(found)
        text = found.text if found else NO_RESULT
        unique = _unique_id(call.id, used_ids)
        calls.append(call if unique == call.id else ToolCall(unique, call.name, call.arguments))
        if found is not None and unique == found.call_id and found.name == call.name:
            answers.append(found)
        else:
            answers.append(ToolResult(unique, call.name, text, is_error=found.is_error if found else True))
    if tuple(calls) != message.tool_calls:
        # What the vendor wants replayed names the old identifiers.
        message = AssistantMessage(text=message.text, tool_calls=tuple(calls))
    return [message, *answers, *(_as_text(result) for result in open_results)]


def _unique_id(call_id: str, used: set[str]) -> str:
    """Return the identifier, changed if it is empty or stands earlier in the history."""
    found, number = call_id or "call", 2 if call_id else 1
    candidate = found if call_id else f"{found}_{number}"
    while candidate in used:
        candidate = f"{found}_{number}"
        number += 1
    used.add(candidate)
    return candidate


def _as_text(result: ToolResult) -> UserMessage:
    return UserMessage(
        f"[result of an earlier call of {result.name}]\n{result.text[:MAX_ORPHAN_CHARS]}\n[/result]"
    )
