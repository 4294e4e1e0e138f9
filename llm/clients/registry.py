"""Which class speaks which wire format."""

from __future__ import annotations

from collections.abc import Callable

from llm.clients import scripted
from llm.clients.anthropic import AnthropicMessages
from llm.clients.endpoint import Target
from llm.clients.offline import OfflineModel
from llm.clients.openai_chat import OpenAIChat
from llm.clients.openai_responses import OpenAIResponses
from llm.types import ChatModel

CLIENTS: dict[str, Callable[[Target], ChatModel]] = {
    "openai_chat": OpenAIChat,
    "openai_responses": OpenAIResponses,
    "anthropic": AnthropicMessages,
    "scripted": scripted.from_target,
    "offline": OfflineModel,
}


def client_for(target: Target) -> ChatModel:
    return CLIENTS[target.endpoint.kind](target)
