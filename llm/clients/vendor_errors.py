"""A vendor's refusal as one of our errors: by status and code first, by words only where there is nothing else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from llm.clients.answers import MAX_VENDOR_TEXT
from llm.errors import (
    AuthenticationFailed,
    ContextTooLong,
    LLMError,
    ModelNotFound,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
)

TOO_LONG_CODES = {
    "context_length_exceeded",
    "exceed_context_size_error",
    "request_too_large",
    "string_above_max_length",
}
RATE_CODES = {"rate_limit_exceeded", "rate_limit_error", "tokens", "requests"}
BILLING_CODES = {"insufficient_quota", "billing_error", "billing_hard_limit_reached"}
KEY_CODES = {"invalid_api_key", "authentication_error", "permission_error"}
MISSING_CODES = {"model_not_found", "not_found_error"}
REQUEST_CODES = {"invalid_request_error", "invalid_prompt"}

# Vendors that only say it in words: "maximum context length is 128000 tokens", "prompt is too long: 213 tokens >
# 200 maximum", "exceeds the available context size (4096 tokens)".
_TOO_LONG = re.compile(
    r"context (length|size|window)|prompt is too long|input length and .max_tokens. exceed", re.I
)
_LIMITS = (
    re.compile(
        r"(?:maximum context length is|context (?:length|size|window) (?:of|is)|context size \()\s*([\d,_]+)",
        re.I,
    ),
    re.compile(r"> ?([\d,_]+)(?: tokens)?(?: maximum|$)", re.I),
)


def from_status(status: int, body: Any, headers: Mapping[str, str], *, vendor_text: str) -> LLMError:
    """Translate an HTTP error answer."""
    codes, text = _codes(body), vendor_text[:MAX_VENDOR_TEXT]
    found = _from_codes(codes, text, body, retry_after_s=retry_after_s(headers))
    if status == 402 or codes & BILLING_CODES:
        return AuthenticationFailed("The account at the model provider has no credit left.", vendor_text=text)
    if status in (401, 403):
        return AuthenticationFailed("The model provider refused the key.", vendor_text=text)
    if status == 429:
        return RateLimited(
            "The model provider is receiving too many requests.",
            retry_after_s=retry_after_s(headers),
            vendor_text=text,
        )
    if status in (408, 409, 425) or status >= 500:
        return ProviderUnavailable("The model provider has a problem at its end.", vendor_text=text)
    if status == 413 or codes & TOO_LONG_CODES or (status == 400 and _TOO_LONG.search(text)):
        return too_long(body, text)
    if status == 404:
        return ModelNotFound("The model provider does not know this model or address.", vendor_text=text)
    return found or RequestRefused("The model provider refused the request.", vendor_text=text)


def from_stream(body: Any, *, vendor_text: str) -> LLMError:
    """Translate an error that came inside a stream, where there is no status."""
    text = vendor_text[:MAX_VENDOR_TEXT]
    found = _from_codes(_codes(body), text, body, retry_after_s=None)
    return found or ProviderUnavailable("The model provider broke off its answer.", vendor_text=text)


def too_long(body: Any, text: str) -> ContextTooLong:
    """Build the error, with the limit where the vendor names it."""
    limit = _error_object(body).get("n_ctx")
    if not isinstance(limit, int):
        found = next((match for pattern in _LIMITS if (match := pattern.search(text))), None)
        limit = int(re.sub(r"[,_]", "", found.group(1))) if found else None
    return ContextTooLong(
        "The conversation is too long for this model.", limit_tokens=limit, vendor_text=text
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After`, which is seconds or a date, or the finer `retry-after-ms`."""
    milliseconds, value = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    for text, scale in ((milliseconds, 1_000.0), (value, 1.0)):
        try:
            return max(0.0, float(text) / scale)
        except ValueError:
            continue
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())


def _from_codes(codes: set[str], text: str, body: Any, *, retry_after_s: float | None) -> LLMError | None:
    if codes & TOO_LONG_CODES:
        return too_long(body, text)
    if codes & BILLING_CODES:
        return AuthenticationFailed("The account at the model provider has no credit left.", vendor_text=text)
    if codes & RATE_CODES:
        message = "The model provider is receiving too many requests."
        return RateLimited(message, retry_after_s=retry_after_s, vendor_text=text)
    if codes & KEY_CODES:
        return AuthenticationFailed("The model provider refused the key.", vendor_text=text)
    if codes & MISSING_CODES:
        return ModelNotFound("The model provider does not know this model or address.", vendor_text=text)
    if codes & REQUEST_CODES:
        if _TOO_LONG.search(text):
            return too_long(body, text)
        return RequestRefused("The model provider refused the request.", vendor_text=text)
    return None


def _codes(body: Any) -> set[str]:
    error = _error_object(body)
    details = error.get("details")
    found = [
        error.get("code"),
        error.get("type"),
        details.get("error_code") if isinstance(details, dict) else None,
    ]
    return {code for code in found if isinstance(code, str)}


def _error_object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, dict) else body
