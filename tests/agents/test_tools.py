from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.streaming import ContentReader
from agents.tools import document
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


def test_the_page_of_tools_is_current_and_tells_who_holds_what() -> None:
    call_command("tools", "--check")
    page = document.render()
    for tool in TOOLS:
        assert f"\n## {tool.name}" in page
        for name in tool.spec.parameters["properties"]:
            assert f"| `{name}` |" in page
    assert "| worker | `append_file`, " in page
    assert "Held by worker · policy: allow · not repeatable · outside of the step" in page


def test_a_page_of_tools_that_is_out_of_date_is_told(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    with pytest.raises(CommandError, match="out of date"):
        call_command("tools", "--check")
    call_command("tools")
    call_command("tools", "--check")
