"""The model server speaks the wire format that our own client reads."""

from __future__ import annotations

import time

from llm.clients.endpoint import Endpoint, Target
from llm.clients.openai_chat import OpenAIChat
from llm.clients.pool import close_all
from llm.types import CancelToken, ChatRequest, ChatResponse, Completed, ToolSpec, UserMessage
from spacebot_site.bench.model import ModelServer

REPLY = ToolSpec(name="reply", description="Say it.", parameters={"type": "object", "properties": {}})


def ask(server: ModelServer, text: str) -> ChatResponse:
    target = Target(endpoint=Endpoint(kind="openai_chat", api_key="none", base_url=server.url), model="bench")
    request = ChatRequest(system=("Be brief.",), messages=(UserMessage(text),), tools=(REPLY,))
    events = list(OpenAIChat(target).stream(request, cancel=CancelToken()))
    assert isinstance(events[-1], Completed)
    return events[-1].response


def test_it_answers_after_its_latency_and_keeps_the_times_by_mark() -> None:
    with ModelServer() as server:
        ask(server, "Mia: say m-1-1")
        server.set_latency(200)
        server.take()
        began = time.monotonic()
        response = ask(server, "Mia: say m-1-2")
        ended = time.monotonic()
        taken = server.take()
        assert server.take() == {"calls": 0, "times": {}}
    close_all()
    (call,) = response.message.tool_calls
    assert (call.name, call.arguments) == ("reply", '{"content": "echo m-1-2"}')
    assert taken["calls"] == 1
    ((arrived, sent),) = taken["times"]["m-1-2"]
    assert began < arrived < sent
    assert sent < ended + 30  # It notes that it has sent after the client may have read it.
    assert 0.19 < sent - arrived < 30
