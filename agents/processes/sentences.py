"""What a person reads when a process could not speak for itself. Plain, kind, and true."""

from __future__ import annotations

from llm.errors import (
    AuthenticationFailed,
    ContextTooLong,
    LLMError,
    ModelNotFound,
    NotConfigured,
    RateLimited,
    RequestRefused,
)

NOT_ANSWERED = (
    "I could not finish an answer to that. Your message is kept; please ask again, perhaps in smaller parts."
)
TOO_LONG_TO_DECIDE = (
    "I went back and forth on this too long and stopped. Please tell me which part matters most."
)
TIMED_OUT = "This took longer than I may spend on one answer, so I stopped. Please ask again, perhaps in smaller parts."
AGENT_OFF = "I am switched off at the moment, so I cannot answer. An administrator can switch me on again."
SOMETHING_BROKE = "Something went wrong on my side and was logged. Your message is kept; please try again."


def sentence_for(error: LLMError) -> str:
    """Return what to say when a model could not be used. The vendor's words never get here."""
    match error:
        case RateLimited():
            return "The model provider is limiting our requests right now. Your message is kept; please try again in a minute."
        case AuthenticationFailed():
            return "The model provider refused our key. An administrator can mend it under Settings → Models."
        case ContextTooLong():
            return "This conversation has grown too long for the model. Please start a new one, or ask for less at once."
        case NotConfigured():
            return "No model is set up for me yet. An administrator can add one under Settings → Models."
        case ModelNotFound():
            return "The model chosen for me does not exist at its provider. An administrator can mend it under Settings → Models."
        case RequestRefused():
            return "The model provider refused this request. It was logged; an administrator can look at the run."
    return "The model provider does not answer properly at the moment. Your message is kept; please try again in a minute."
