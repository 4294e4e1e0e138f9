"""Where Anthropic may cache: behind the stable part of the system prompt, the tools, the stable history."""

from __future__ import annotations

from typing import Any

from llm.clients.anthropic_request import request_body
from llm.clients.endpoint import Endpoint, Target
from llm.types import AssistantMessage, ChatRequest, ToolSpec, UserMessage

TARGET = Target(Endpoint(kind="anthropic", api_key=""), model="m")
TOOLS = (ToolSpec("a", "", {"type": "object"}), ToolSpec("b", "", {"type": "object"}))
MESSAGES = (UserMessage("one"), AssistantMessage("two"), UserMessage("three"), UserMessage("four"))


def marks(blocks: list[dict[str, Any]]) -> list[bool]:
    return ["cache_control" in block for block in blocks]


def test_three_marks_stand_before_what_changes() -> None:
    request = ChatRequest(("soul", "role", "clock"), MESSAGES, TOOLS, stable_messages=3)
    body = request_body(request, TARGET)
    assert marks(body["system"]) == [False, True, False]
    assert marks(body["tools"]) == [False, True]
    assert [marks(turn["content"]) for turn in body["messages"]] == [[False], [False], [True, False]]


def test_nothing_stable_means_no_mark() -> None:
    body = request_body(ChatRequest(("clock",), MESSAGES), TARGET)
    blocks = [block for turn in body["messages"] for block in turn["content"]]
    assert not any(marks([*body["system"], *blocks]))


def test_the_marked_prefix_is_the_same_in_the_next_turn() -> None:
    first = request_body(ChatRequest(("s", "v"), MESSAGES, TOOLS, stable_messages=2), TARGET)
    second = request_body(
        ChatRequest(("s", "w"), (*MESSAGES, UserMessage("five")), TOOLS, stable_messages=2), TARGET
    )
    assert first["messages"][:2] == second["messages"][:2]
    assert (first["tools"], first["system"][0]) == (second["tools"], second["system"][0])
