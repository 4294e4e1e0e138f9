"""No model is shown a secret, and none passes one on: every request and every answer goes through here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llm.types import (
    AssistantMessage,
    ChatMessage,
    ChatRequest,
    ChatResponse,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)
from secret_store.scrubbing.scrubber import Hits
from secret_store.shields import Shield


class Shielding:
    """The gate of one call. Text without a secret is passed on as the very object it was."""

    def __init__(self, shield: Shield) -> None:
        self._shield = shield

    def request(self, request: ChatRequest) -> ChatRequest:
        """Scrub all that the model would be shown."""
        hits = Hits()
        shielded = replace(
            request,
            system=tuple(self._text(part, hits) for part in request.system),
            messages=tuple(self.message(message, hits) for message in request.messages),
            tools=tuple(self._spec(spec, hits) for spec in request.tools),
        )
        return shielded if hits.counts else request

    def response(self, response: ChatResponse) -> tuple[ChatResponse, Mapping[str, int]]:
        """Scrub all that the model wrote, before it is recorded, shown or acted on; also return what was found."""
        hits = Hits()
        message = self.message(response.message, hits)
        if not hits.counts:
            return response, {}
        assert isinstance(message, AssistantMessage)
        return replace(response, message=message), dict(hits.counts)

    def text(self, text: str) -> str:
        """Scrub what a vendor said beside an answer."""
        return self._text(text, Hits())

    def message(self, message: ChatMessage, hits: Hits) -> ChatMessage:
        match message:
            case UserMessage(text=text):
                return UserMessage(self._text(text, hits))
            case ToolResult():
                return replace(message, text=self._text(message.text, hits))
            case AssistantMessage():
                return AssistantMessage(
                    self._text(message.text, hits),
                    tuple(self._call(call, hits) for call in message.tool_calls),
                    self._replay(message.replay, hits),
                )

    def _call(self, call: ToolCall, hits: Hits) -> ToolCall:
        """Scrub arguments value by value, so that what is left is JSON still."""
        try:
            arguments = json.loads(call.arguments or "{}", object_pairs_hook=_Pairs)
        except ValueError:
            return replace(call, arguments=self._text(call.arguments, hits), name=self._text(call.name, hits))
        inner = Hits()
        clean = self._value(arguments, inner)
        # Looked at as a whole as well: a secret may lie across two values.
        whole = self._shield.scrub(call.arguments)
        if inner.counts:
            hits.add(inner.counts)
            call = replace(call, arguments=_dump(clean))
        elif whole.hits:
            hits.add(whole.hits)
            call = replace(call, arguments=json.dumps({"withheld": whole.text}))
        return replace(call, name=self._text(call.name, hits))

    def _value(self, value: Any, hits: Hits) -> Any:
        if isinstance(value, _Pairs):
            return _Pairs((self._text(key, hits), self._value(each, hits)) for key, each in value)
        if isinstance(value, list):
            return [self._value(each, hits) for each in value]
        return self._text(value, hits) if isinstance(value, str) else value

    def _replay(self, replay: dict[str, Any], hits: Hits) -> dict[str, Any]:
        """What a vendor signed cannot be changed: with a secret in it, it is left out."""
        found = Hits()
        self._shield.scrub_json(replay, found)
        hits.add(found.counts)
        return {} if found.counts else replay

    def _spec(self, spec: ToolSpec, hits: Hits) -> ToolSpec:
        return replace(spec, description=self._text(spec.description, hits))

    def _text(self, text: str, hits: Hits) -> str:
        done = self._shield.scrub(text)
        hits.add(done.hits)
        return done.text


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, twins and all, so that the gate can still refuse it."""


def _dump(value: Any) -> str:
    if isinstance(value, _Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {_dump(each)}" for key, each in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_dump(each) for each in value) + "]"
    return json.dumps(value)
