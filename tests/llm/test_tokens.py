"""The estimate of a request's size, and the window it must fit into."""

from __future__ import annotations

from typing import Any

from llm.fakes import FakeProvider
from llm.fakes.rows import use_fake
from llm.models import Process
from llm.services import CallContext
from llm.services.tokens import context_window, estimate_tokens
from llm.types import AssistantMessage, ChatRequest, ToolCall, UserMessage
from tests.llm.conftest import REPLY


def test_text_is_about_four_bytes_a_token() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("a" * 400) == 100
    assert estimate_tokens("日本語" * 4) == 9


def test_a_request_counts_all_its_parts() -> None:
    small = ChatRequest(("S",), (UserMessage("hi"),))
    with_tool = ChatRequest(("S",), (UserMessage("hi"),), (REPLY,))
    call = AssistantMessage("", (ToolCall("1", "reply", '{"content": "hello"}'),))
    with_call = ChatRequest(("S",), (UserMessage("hi"), call), (REPLY,))
    assert estimate_tokens(small) < estimate_tokens(with_tool) < estimate_tokens(with_call)


def test_lone_surrogates_do_not_break_the_estimate() -> None:
    assert estimate_tokens("\ud800" * 8) > 0


def test_the_window_is_that_of_the_smallest_model_that_may_answer(team: Any, fake: FakeProvider) -> None:
    context = CallContext(team.organization.pk, Process.CHANNEL)
    assert context_window(context) == 128_000
    use_fake(team.organization, fake, name="First", context_window=200_000)
    use_fake(team.organization, fake, name="Second", context_window=32_000)
    assert context_window(context) == 32_000
