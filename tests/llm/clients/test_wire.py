"""What goes over the wire and comes back, in each of the three formats."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from llm.fakes import FakeProvider, FakeReply
from llm.types import (
    AssistantMessage,
    ChatModel,
    ChatRequest,
    ReasoningDelta,
    StopReason,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
    UserMessage,
)
from tests.llm.conftest import HELLO, KEY, REPLY, ask

Make = Callable[..., ChatModel]


def test_text_streams_in_pieces_and_ends_with_usage(make_client: Make, fake: FakeProvider) -> None:
    response, deltas = ask(make_client())
    assert [d.text for d in deltas if isinstance(d, TextDelta)] == ["Hell", "o th", "ere."]
    assert response.message == AssistantMessage("Hello there.")
    assert response.usage == Usage(input_tokens=100, output_tokens=20, cache_read_tokens=40)
    assert (response.stop_reason, response.model) == (StopReason.END, "fake-1")
    headers = fake.requests[0].headers
    assert KEY in (headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer "))


def test_several_tool_calls_arrive_whole(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(
        text="One moment.", tool_calls=(("branch", {"task": "größer"}), ("reply", {"content": 'say "hi"\n'}))
    )
    response, deltas = ask(make_client())
    names = [(d.index, d.name) for d in deltas if isinstance(d, ToolCallDelta) and d.name]
    assert names == [(0, "branch"), (1, "reply")]
    assert [(c.name, c.arguments) for c in response.message.tool_calls] == [
        ("branch", '{"task": "größer"}'),
        ("reply", '{"content": "say \\"hi\\"\\n"}'),
    ]
    streamed = "".join(d.arguments for d in deltas if isinstance(d, ToolCallDelta) and d.index == 1)
    assert streamed == response.message.tool_calls[1].arguments
    assert (response.message.text, response.stop_reason) == ("One moment.", StopReason.TOOLS)


def test_a_tool_call_without_arguments_gets_an_empty_object(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(tool_calls=(("skip", ""),))
    response, _ = ask(make_client())
    assert response.message.tool_calls[0].arguments == "{}"


def test_history_with_tools_reaches_the_provider_paired(make_client: Make, fake: FakeProvider) -> None:
    messages = (
        UserMessage("write it"),
        AssistantMessage(
            "Sure.", (ToolCall("c1", "reply", '{"content": "a"}'), ToolCall("c2", "skip", "{}"))
        ),
        ToolResult("c1", "reply", "sent"),
        ToolResult("c2", "skip", "", is_error=True),
        UserMessage("and now?"),
    )
    ask(make_client(), ChatRequest(system=("S",), messages=messages, tools=(REPLY,)))
    seen = fake.requests[0].messages
    assert [m.text for m in seen if isinstance(m, UserMessage)] == ["write it", "and now?"]
    calls = [c for m in seen if isinstance(m, AssistantMessage) for c in m.tool_calls]
    assert [(c.id, c.name) for c in calls] == [("c1", "reply"), ("c2", "skip")]
    assert [(m.call_id, m.text) for m in seen if isinstance(m, ToolResult)] == [
        ("c1", "sent"),
        ("c2", "(nothing)"),
    ]


def test_reasoning_streams_and_does_not_count_as_an_answer(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(text="Yes.", reasoning="Let me see")
    response, deltas = ask(make_client())
    assert "".join(d.text for d in deltas if isinstance(d, ReasoningDelta)) == "Let me see"
    assert response.message.text == "Yes."


def test_signed_reasoning_goes_back_unchanged(make_client: Make, fake: FakeProvider, kind: str) -> None:
    fake.brain = lambda request: FakeReply(reasoning="Hm", tool_calls=(("reply", {"content": "x"}),))
    response, _ = ask(make_client())
    first_call = response.message.tool_calls[0]
    follow = (UserMessage("hello"), response.message, ToolResult(first_call.id, "reply", "sent"))
    ask(make_client(), ChatRequest(system=("S",), messages=follow, tools=(REPLY,)))
    body = str(fake.requests[1].body)
    assert ("c2lnbmVk" in body) == (kind == "anthropic")
    assert ("c2VhbGVk" in body) == (kind == "openai_responses")
    assert body.count(first_call.id) == 2


def test_one_connection_serves_call_after_call(make_client: Make, fake: FakeProvider) -> None:
    client = make_client()
    for _ in range(5):
        ask(client)
    assert (len(fake.requests), fake.connections) == (5, 1)


def test_fifty_threads_get_their_own_answers(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(text=f"for {request.messages[-1].text}", latency_s=0.2)

    def one(number: int) -> tuple[str, str]:
        request = ChatRequest(system=("S",), messages=(UserMessage(f"caller {number}"),))
        return f"for caller {number}", ask(make_client(), request)[0].message.text

    ask(make_client(), HELLO)
    with ThreadPoolExecutor(50) as threads:
        for wanted, got in threads.map(one, range(50)):
            assert got == wanted
