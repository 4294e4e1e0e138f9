from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.context.fit import budget, fit, shorten
from llm.services.tokens import estimate_tokens
from llm.types import AssistantMessage, ChatMessage, ChatRequest, ToolCall, ToolResult, UserMessage

pieces = st.tuples(st.integers(0, 2), st.text(min_size=1, max_size=4), st.integers(0, 2_000))


def build(exchanges: list[tuple[int, str, int]]) -> list[ChatMessage]:
    messages: list[ChatMessage] = []
    for number, (kind, word, times) in enumerate(exchanges):
        if kind == 0:
            messages.append(UserMessage(word * times))
        elif kind == 1:
            messages.append(AssistantMessage(word * times))
        else:
            messages.append(AssistantMessage("", (ToolCall(f"c{number}", "read_file", "{}"),)))
            messages.append(ToolResult(f"c{number}", "read_file", word * times))
    return messages


@settings(max_examples=150)
@given(exchanges=st.lists(pieces, min_size=1, max_size=20), window=st.integers(600, 8_000))
def test_a_fitted_request_is_within_the_window_and_keeps_its_pairs(
    exchanges: list[tuple[int, str, int]], window: int
) -> None:
    messages = build(exchanges)
    request = ChatRequest(system=("Be kind.",), messages=tuple(messages))
    fitted = fit(request, window=window)
    assert estimate_tokens(fitted) <= budget(window)
    open_calls: set[str] = set()
    for message in fitted.messages:
        if isinstance(message, AssistantMessage):
            assert not open_calls
            open_calls = {call.id for call in message.tool_calls}
        elif isinstance(message, ToolResult):
            open_calls.remove(message.call_id)
        else:
            assert not open_calls
    if estimate_tokens(request) <= budget(window):
        assert fitted is request


@given(text=st.text(max_size=3_000), tokens=st.integers(30, 500))
def test_a_shortened_text_is_short_and_keeps_its_ends(text: str, tokens: int) -> None:
    short = shorten(text, tokens)
    assert estimate_tokens(short) <= max(tokens, 30) + 5
    if short != text:
        assert "cut here" in short
