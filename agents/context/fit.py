"""The last defence of the window: make a request fit, whatever has grown in it. Pure.

Compaction keeps conversations small long before this; a worker that reads large files, or one enormous message, gets
here. Old tool results go first, then old messages are shortened, the newest last. Nothing is taken out of order, so
every call keeps its result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from llm.services.tokens import estimate_tokens
from llm.types import AssistantMessage, ChatMessage, ChatRequest, ToolResult, UserMessage

RESERVE = 0.15
"""The share of a window that is kept for the answer and for the estimator's error."""
STUB_AT_LEAST = 80
LEFT_OUT = "[left out: {tokens} tokens of an older result]"
CUT = "\n[… cut here: {tokens} tokens in all; the full text is kept]\n"


def budget(window: int) -> int:
    """Return how many estimated tokens a request may have."""
    return int(window * (1 - RESERVE))


def fit(request: ChatRequest, *, window: int) -> ChatRequest:
    """Return the request, shortened until its estimate is within the window's budget.

    System prompt and tools are never touched: a window too small for them is an error of the set-up.
    """
    excess = estimate_tokens(request) - budget(window)
    if excess <= 0:
        return request
    messages = list(request.messages)
    excess = _stub_results(messages, excess)
    if excess > 0:
        excess = _shorten(messages, excess, range(len(messages) - 1))
    if excess > 0:
        _shorten(messages, excess, [len(messages) - 1], keep=0)
    if estimate_tokens(replace(request, messages=tuple(messages))) > budget(window):
        messages = _drop_oldest(request, messages, budget(window))
    return replace(request, messages=tuple(messages), stable_messages=0)


def _stub_results(messages: list[ChatMessage], excess: int) -> int:
    """Replace tool results by a note, oldest first, sparing those after the last assistant message."""
    last = max((at for at, m in enumerate(messages) if isinstance(m, AssistantMessage)), default=0)
    for at, message in enumerate(messages[:last]):
        if excess <= 0:
            break
        if isinstance(message, ToolResult) and (size := estimate_tokens(message)) > STUB_AT_LEAST:
            messages[at] = replace(message, text=LEFT_OUT.format(tokens=size))
            excess -= size - estimate_tokens(messages[at])
    return excess


def _shorten(messages: list[ChatMessage], excess: int, places: Iterable[int], *, keep: float = 0.02) -> int:
    """Shorten the longest texts among `places` until the excess is gone; each keeps a share of its text."""
    order = sorted(places, key=lambda at: -estimate_tokens(messages[at]))
    for at in order:
        if excess <= 0:
            break
        message = messages[at]
        size = estimate_tokens(message.text)
        if size <= STUB_AT_LEAST:
            break
        kept = max(size - excess - 40, int(size * keep), 20)
        shorter = replace(message, text=shorten(message.text, kept))
        saved = estimate_tokens(message) - estimate_tokens(shorter)
        if saved > 0:
            messages[at] = shorter
            excess -= saved
    return excess


def shorten(text: str, tokens: int) -> str:
    """Return the beginning and the end of a text, about `tokens` long, with a note between."""
    size = estimate_tokens(text)
    if size <= tokens:
        return text
    note = CUT.format(tokens=size)
    data = text.encode()
    room = max(0, tokens * 4 - len(note.encode()))
    head, tail = room * 2 // 3, room // 3
    end = data[-tail:].decode(errors="ignore") if tail else ""
    return data[:head].decode(errors="ignore") + note + end


def _drop_oldest(request: ChatRequest, messages: list[ChatMessage], allowed: int) -> list[ChatMessage]:
    """Drop whole exchanges from the front, never between a call and its result, and never the last message."""
    note = UserMessage("[older messages were left out here; they are kept]")
    total = estimate_tokens(replace(request, messages=(note, *messages)))
    at = 0
    while total > allowed and at < len(messages) - 1:
        total -= estimate_tokens(messages[at])
        at += 1
        while at < len(messages) - 1 and isinstance(messages[at], ToolResult):
            total -= estimate_tokens(messages[at])
            at += 1
    return [note, *messages[at:]] if at else messages
