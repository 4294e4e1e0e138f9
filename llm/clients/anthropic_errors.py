"""The exceptions of the Anthropic SDK as ours."""

from __future__ import annotations

import anthropic

from llm.clients.vendor_errors import from_status, from_stream
from llm.errors import LLMError, ProviderUnavailable


def translate(error: Exception) -> LLMError | None:
    """Return our error for the SDK's; None for what is not the SDK's."""
    if isinstance(error, anthropic.APIStatusError):
        return from_status(error.status_code, error.body, error.response.headers, vendor_text=error.message)
    if isinstance(error, anthropic.APITimeoutError):
        return ProviderUnavailable(
            "The model provider did not answer in time.", vendor_text=repr(error.__cause__)
        )
    if isinstance(error, anthropic.APIConnectionError):
        return ProviderUnavailable("The model provider cannot be reached.", vendor_text=repr(error.__cause__))
    if isinstance(error, anthropic.APIError):
        return from_stream(error.body, vendor_text=error.message)
    if isinstance(error, anthropic.AnthropicError):
        return ProviderUnavailable("The model provider cannot be reached.", vendor_text=str(error))
    return None
