"""The vendors' HTTP errors: status and body as they send them."""

from __future__ import annotations

from typing import Any

from llm.fakes.replies import Fault

CONTEXT_LIMIT = 8_192

OPENAI: dict[Fault, tuple[int, str, str | None, str]] = {
    Fault.RATE_LIMIT: (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests"),
    Fault.SERVER_ERROR: (500, "server_error", None, "The server had an error while processing your request"),
    Fault.OVERLOADED: (503, "server_error", None, "The engine is currently overloaded"),
    Fault.BAD_KEY: (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: {key}"),
    Fault.NO_CREDIT: (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota"),
    Fault.TOO_LONG: (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        f"This model's maximum context length is {CONTEXT_LIMIT} tokens. Your messages resulted in 9001 tokens.",
    ),
    Fault.BAD_REQUEST: (400, "invalid_request_error", None, "Invalid schema for function 'reply'"),
    Fault.NO_SUCH_MODEL: (404, "invalid_request_error", "model_not_found", "The model does not exist"),
}
ANTHROPIC: dict[Fault, tuple[int, str, str]] = {
    Fault.RATE_LIMIT: (429, "rate_limit_error", "This request would exceed your rate limit"),
    Fault.SERVER_ERROR: (500, "api_error", "Internal server error"),
    Fault.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    Fault.BAD_KEY: (401, "authentication_error", "invalid x-api-key {key}"),
    Fault.NO_CREDIT: (400, "billing_error", "Your credit balance is too low"),
    Fault.TOO_LONG: (
        400,
        "invalid_request_error",
        f"prompt is too long: 9001 tokens > {CONTEXT_LIMIT} maximum",
    ),
    Fault.BAD_REQUEST: (400, "invalid_request_error", "tools.0: name must match a pattern"),
    Fault.NO_SUCH_MODEL: (404, "not_found_error", "model: no-such-model"),
}


def refusal(style: str, fault: Fault, *, key: str) -> tuple[int, dict[str, Any]]:
    """Return status and body. Like the real ones, the body may repeat the key."""
    if style == "anthropic":
        status, kind, message = ANTHROPIC[fault]
        return status, {"type": "error", "error": {"type": kind, "message": message.format(key=key)}}
    status, kind, code, message = OPENAI[fault]
    body = {"message": message.format(key=key), "type": kind, "param": None, "code": code}
    return status, {"error": body}
