"""The fake server with its own brain: a whole conversation works over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable

from llm.fakes import FakeProvider
from llm.fakes.brains import echo
from llm.types import ChatMessage, ChatModel, ChatRequest, ToolResult, ToolSpec, UserMessage
from tests.llm.conftest import ask

Make = Callable[..., ChatModel]


def specs(*names: str) -> tuple[ToolSpec, ...]:
    return tuple(ToolSpec(name, "", {"type": "object"}) for name in names)


def test_a_channel_hears_its_echo(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = echo()
    messages = (UserMessage("[2026-11-20 14:03 UTC] Mia: number 7"),)
    response, _ = ask(make_client(), ChatRequest(("S",), messages, specs("reply", "skip")))
    [call] = response.message.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("reply", {"content": "echo: number 7"})


def test_a_worker_writes_its_file_and_reports(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = echo()
    tools = specs("write_file", "set_outcome")
    messages: tuple[ChatMessage, ...] = (UserMessage("[your task]\nwrite a file notes.txt saying hi"),)
    first, _ = ask(make_client(), ChatRequest(("S",), messages, tools))
    [write] = first.message.tool_calls
    assert json.loads(write.arguments) == {"path": "notes.txt", "content": "hi"}
    messages = (*messages, first.message, ToolResult(write.id, "write_file", "ok"))
    second, _ = ask(make_client(), ChatRequest(("S",), messages, tools))
    assert second.message.tool_calls[0].name == "set_outcome"
