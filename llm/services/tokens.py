"""How big a request is, and how big it may be. One estimator everywhere, so that thresholds mean the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llm.types import AssistantMessage, ChatMessage, ChatRequest, ToolResult, ToolSpec

if TYPE_CHECKING:
    from llm.services.calls import CallContext

BYTES_PER_TOKEN = 4
PER_MESSAGE = 4
PER_CALL = 8


def estimate_tokens(subject: str | ChatMessage | ToolSpec | ChatRequest) -> int:
    """Return about how many tokens `subject` takes.

    Counts UTF-8 bytes rather than characters: scripts that take more bytes take more tokens too."""
    if isinstance(subject, str):
        return -(-len(subject.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
    if isinstance(subject, ChatRequest):
        parts = [*subject.system, *subject.messages, *subject.tools]
        return sum(estimate_tokens(part) for part in parts)
    if isinstance(subject, ToolSpec):
        return PER_CALL + estimate_tokens(subject.text)
    total = PER_MESSAGE + estimate_tokens(subject.text)
    if isinstance(subject, ToolResult):
        return total + PER_CALL
    if isinstance(subject, AssistantMessage):
        total += sum(PER_CALL + estimate_tokens(call.name + call.arguments) for call in subject.tool_calls)
        if subject.replay:
            total += estimate_tokens(json.dumps(subject.replay, ensure_ascii=False))
    return total


def context_window(context: CallContext) -> int:
    """Return the tokens that every model which may answer this call can take."""
    from llm.services.routing import get_routing

    candidates = get_routing(context.organization_id).candidates(
        context.process, model_override=context.model_override
    )
    return min(candidate.context_window for candidate in candidates)
