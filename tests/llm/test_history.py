"""Whatever a history looks like, what goes out is paired."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from llm.clients.anthropic_request import request_body as anthropic_body
from llm.clients.endpoint import Endpoint, Target
from llm.history import NO_RESULT, repair
from llm.types import AssistantMessage, ChatMessage, ChatRequest, ToolCall, ToolResult, UserMessage

IDS = st.sampled_from(["", "a", "b", "c", "d"])
CALLS = st.builds(ToolCall, IDS, st.sampled_from(["reply", "skip"]), st.sampled_from(["{}", "", "oops"]))
MESSAGES = st.one_of(
    st.builds(UserMessage, st.sampled_from(["hi", "", "  "])),
    st.builds(
        AssistantMessage,
        st.sampled_from(["", "ok", " "]),
        st.lists(CALLS, max_size=3).map(tuple),
        st.sampled_from([{}, {"kind": "other"}]),
    ),
    st.builds(ToolResult, IDS, st.sampled_from(["reply", "skip"]), st.sampled_from(["", "sent"])),
)
HISTORIES = st.lists(MESSAGES, max_size=12)


def check_paired(messages: tuple[ChatMessage, ...]) -> None:
    seen: set[str] = set()
    position = 0
    while position < len(messages):
        message = messages[position]
        position += 1
        assert not isinstance(message, ToolResult)
        for call in message.tool_calls if isinstance(message, AssistantMessage) else ():
            result = messages[position]
            position += 1
            assert isinstance(result, ToolResult)
            assert (result.call_id, result.name) == (call.id, call.name)
            assert call.id not in seen
            assert call.id
            seen.add(call.id)


@given(HISTORIES)
def test_every_call_has_its_one_result_and_every_result_its_call(history: list[ChatMessage]) -> None:
    check_paired(repair(history))


@given(HISTORIES)
def test_mending_twice_changes_nothing(history: list[ChatMessage]) -> None:
    once = repair(history)
    assert repair(once) == once


@given(HISTORIES)
def test_no_word_of_people_or_models_is_lost(history: list[ChatMessage]) -> None:
    def words(messages: list[ChatMessage] | tuple[ChatMessage, ...]) -> list[str]:
        return [m.text for m in messages if isinstance(m, AssistantMessage)]

    mended = repair(history)
    assert words(mended) == words(history)
    said = [m.text for m in history if isinstance(m, UserMessage)]
    assert [m.text for m in mended if isinstance(m, UserMessage) and "[result of" not in m.text] == said


@given(HISTORIES, st.integers(0, 12))
def test_what_anthropic_gets_alternates_and_holds_no_empty_block(
    history: list[ChatMessage], stable: int
) -> None:
    mended = repair(history)
    target = Target(Endpoint(kind="anthropic", api_key=""), model="m")
    request = ChatRequest(system=("a", "b"), messages=mended, stable_messages=min(stable, len(mended)))
    turns = anthropic_body(request, target)["messages"]
    roles = [turn["role"] for turn in turns]
    assert roles[0] == roles[-1] == "user"
    assert all(first != second for first, second in itertools.pairwise(roles))
    blocks = [block for turn in turns for block in turn["content"]]
    assert all(block["text"].strip() for block in blocks if block["type"] == "text")
    assert all(isinstance(block["input"], dict) for block in blocks if block["type"] == "tool_use")
    assert sum("cache_control" in block for block in blocks) <= 1


def test_a_sound_history_comes_back_as_it_was() -> None:
    history = (
        UserMessage("hi"),
        AssistantMessage("", (ToolCall("1", "reply", "{}"), ToolCall("2", "skip", "{}")), {"kind": "x"}),
        ToolResult("1", "reply", "sent"),
        ToolResult("2", "skip", ""),
    )
    assert repair(history) == history


def test_a_call_cut_off_by_a_restart_says_so() -> None:
    history = (UserMessage("hi"), AssistantMessage("", (ToolCall("1", "reply", "{}"),)))
    assert repair(history)[-1] == ToolResult("1", "reply", NO_RESULT, is_error=True)
