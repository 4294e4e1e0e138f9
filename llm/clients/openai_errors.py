"""The exceptions of the OpenAI SDK as ours."""

from __future__ import annotations

import openai

from llm.clients.vendor_errors import from_status, from_stream
from llm.errors import LLMError, ProviderUnavailable


def translate(error: Exception) -> LLMError | None:
    """Return our error for the SDK's; None for what is not the SDK's."""
    if isinstance(error, openai.APIStatusError):
        return from_status(error.status_code, error.body, error.response.headers, vendor_text=error.message)
    if isinstance(error, openai.APITimeoutError):
        return ProviderUnavailable(
            "The model provider did not answer in time.", vendor_text=repr(error.__cause__)
        )
    if isinstance(error, openai.APIConnectionError):
        return ProviderUnavailable("The model provider cannot be reached.", vendor_text=repr(error.__cause__))
    if isinstance(error, openai.APIError):
        return from_stream(error.body, vendor_text=error.message)
    if isinstance(error, openai.OpenAIError):
        return ProviderUnavailable("The model provider cannot be reached.", vendor_text=str(error))
    return None
