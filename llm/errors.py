"""What can go wrong between us and a model.

LLMError
├── RateLimited(retry_after_s)      transient
├── ProviderUnavailable             transient: no connection, 5xx, timeout, cut stream
├── BadResponse(usage)              transient: empty, truncated or malformed answer
├── ContextTooLong(limit_tokens)
├── AuthenticationFailed            key, permission or credit: another provider may do
├── ModelNotFound                   the provider has no such model: another may do
├── RequestRefused                  the provider says the request itself is wrong
├── NotConfigured                   no route leads to a usable model
└── Cancelled
"""

from __future__ import annotations

from llm.types import Usage


class LLMError(Exception):
    """`str(error)` is safe to show to people; `vendor_text` is for logs only."""

    is_transient = False

    def __init__(self, message: str, *, vendor_text: str = "") -> None:
        super().__init__(message)
        self.vendor_text = vendor_text


class RateLimited(LLMError):
    is_transient = True

    def __init__(self, message: str, *, retry_after_s: float | None = None, vendor_text: str = "") -> None:
        super().__init__(message, vendor_text=vendor_text)
        self.retry_after_s = retry_after_s


class ProviderUnavailable(LLMError):
    is_transient = True


class BadResponse(LLMError):
    """`usage` is what the useless answer cost all the same."""

    is_transient = True

    def __init__(self, message: str, *, vendor_text: str = "", usage: Usage | None = None) -> None:
        super().__init__(message, vendor_text=vendor_text)
        self.usage = usage or Usage()


class ContextTooLong(LLMError):
    def __init__(self, message: str, *, limit_tokens: int | None = None, vendor_text: str = "") -> None:
        super().__init__(message, vendor_text=vendor_text)
        self.limit_tokens = limit_tokens


class AuthenticationFailed(LLMError):
    pass


class ModelNotFound(LLMError):
    pass


class RequestRefused(LLMError):
    pass


class NotConfigured(LLMError):
    pass


class Cancelled(LLMError):
    pass
