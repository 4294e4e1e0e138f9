from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.engine.streaming import ContentReader
from agents.tools.gate import OUTPUT_CAP_BYTES, cap
from agents.tools.guard import LIMITS, LoopGuard
from agents.tools.registry import TOOLS, tools_for


def test_large_results_are_capped_with_a_note() -> None:
    text = cap("ü" * OUTPUT_CAP_BYTES)
    assert text.startswith("ü")
    assert "are shown" in text
    assert cap("short") == "short"


def test_the_guard_warns_then_blocks_and_forgets_when_something_else_is_done() -> None:
    guard = LoopGuard(LIMITS["channel"])
    verdicts = [guard.check("react", {"emoji": "x"}) for _ in range(5)]
    assert [verdict.blocked for verdict in verdicts] == [False, False, False, False, True]
    assert verdicts[2].note
    assert not guard.check("reply", {"content": "y"}).blocked
    assert not guard.check("react", {"emoji": "x"}).blocked


def test_the_guard_notices_a_result_that_never_changes() -> None:
    guard = LoopGuard(LIMITS["worker"])
    blocked = []
    for _ in range(6):
        blocked.append(guard.check("read_file", {"path": "a"}).blocked)
        guard.saw("read_file", {"path": "a"}, "same")
    assert blocked == [False, False, False, False, True, True]


def test_the_guard_notices_a_cycle() -> None:
    guard = LoopGuard(LIMITS["channel"])
    verdicts = [guard.check(name, {}) for name in ["a", "b"] * 3]
    assert verdicts[-1].blocked


@given(st.text(), st.lists(st.integers(1, 7), min_size=1))
def test_streamed_arguments_decode_to_the_same_text_however_they_are_cut(text: str, cuts: list[int]) -> None:
    import json

    for ascii_only in (True, False):
        raw = json.dumps({"content": text}, ensure_ascii=ascii_only)
        reader, out, at, turn = ContentReader(), "", 0, 0
        while at < len(raw):
            size = cuts[turn % len(cuts)]
            out += reader.feed(raw[at : at + size])
            at, turn = at + size, turn + 1
        if not any(0xD800 <= ord(character) < 0xE000 for character in text):
            assert out == text


def test_every_tool_has_a_schema_and_a_holder() -> None:
    held = [(kind, tool.name) for tool in TOOLS for kind in tool.kinds]
    assert len(set(held)) == len(held)
    for tool in TOOLS:
        assert tool.kinds
        assert tool.spec.parameters["type"] == "object"
        assert not tool.ends_run or tool.transactional
    assert "write_file" not in tools_for("channel")
    assert "reply" not in tools_for("worker")
    assert "reply" not in tools_for("branch")
