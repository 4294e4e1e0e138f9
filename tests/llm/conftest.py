"""A fake provider on loopback and clients that talk to it in each wire format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llm.clients import pool
from llm.clients.endpoint import Endpoint, Target
from llm.clients.registry import client_for
from llm.fakes import FakeProvider, FakeReply
from llm.types import CancelToken, ChatModel, ChatRequest, Completed, StreamEvent, ToolSpec, UserMessage

STYLES = {"openai_chat": "openai", "openai_responses": "responses", "anthropic": "anthropic"}
KEY = "sk-test-1234567890abcdef"
REPLY = ToolSpec(
    "reply",
    "Say something",
    {"type": "object", "properties": {"content": {"type": "string"}}, "required": ["content"]},
)
HELLO = ChatRequest(system=("Be kind.", "It is Friday."), messages=(UserMessage("hello"),), tools=(REPLY,))


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider(lambda request: FakeReply(text="Hello there.")) as found:
        yield found
    pool.close_all()


@pytest.fixture(params=sorted(STYLES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_client(fake: FakeProvider, kind: str) -> Callable[..., ChatModel]:
    def make(*, timeout_s: float = 30.0, deadline_at: float | None = None, **changes: Any) -> ChatModel:
        endpoint = Endpoint(kind=kind, api_key=KEY, base_url=fake.base_url(STYLES[kind]), timeout_s=timeout_s)
        return client_for(Target(endpoint=endpoint, model="fake-1", deadline_at=deadline_at, **changes))

    return make


def ask(
    client: ChatModel, request: ChatRequest = HELLO, cancel: CancelToken | None = None
) -> tuple[Any, list[StreamEvent]]:
    """Return the response and the deltas before it."""
    *deltas, last = list(client.stream(request, cancel=cancel or CancelToken()))
    assert isinstance(last, Completed)
    return last.response, deltas
