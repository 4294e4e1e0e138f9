from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.engine.streaming import ContentReader
from agents.errors import ToolFailed, ToolRetry
from agents.tools import files
from agents.tools.base import ToolContext
from agents.tools.gate import OUTPUT_CAP_BYTES, cap
from agents.tools.guard import LIMITS, LoopGuard
from agents.tools.registry import TOOLS, tools_for


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "workspace"
    return ToolContext(
        run=cast(Any, None), process=cast(Any, None), key="k", cancel=cast(Any, None), workspace=workspace
    )


def write(context: ToolContext, path: str, content: str) -> str:
    return files.write_file(context, files.WriteFile(path=path, content=content)).text


def read(context: ToolContext, path: str, **options: Any) -> str:
    return files.read_file(context, files.ReadFile(path=path, **options)).text


def test_files_are_written_read_edited_appended_and_listed(context: ToolContext) -> None:
    write(context, "a/b/notes.txt", "one\ntwo\n")
    files.append_file(context, files.AppendFile(path="a/b/notes.txt", content="three\n"))
    files.edit_file(context, files.EditFile(path="a/b/notes.txt", old="two", new="2"))
    assert read(context, "a/b/notes.txt") == "one\n2\nthree"
    assert read(context, "a/b/notes.txt", first_line=2, lines=1) == "2\n[1 more lines; 3 in all]"
    assert files.list_files(context, files.ListFiles(path="a")).text == "b/"
    assert files.list_files(context, files.ListFiles()).text == "a/"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a/\0b", "", ".", "x" * 300])
def test_paths_that_leave_or_make_no_sense_are_refused(context: ToolContext, path: str) -> None:
    with pytest.raises(ToolRetry):
        write(context, path, "x")


def test_links_are_not_followed(context: ToolContext, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    write(context, "ok", "x")
    os.symlink(outside, context.workspace / "folder")
    os.symlink(outside / "secret", context.workspace / "file")
    os.link(outside / "secret", context.workspace / "hard")
    for path in ("folder/secret", "file", "hard"):
        with pytest.raises((ToolFailed, ToolRetry)):
            read(context, path)
    with pytest.raises(ToolFailed):
        write(context, "folder/new", "x")
    write(context, "file", "replaced")
    assert (outside / "secret").read_text() == "s"
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def test_a_pipe_does_not_block(context: ToolContext) -> None:
    write(context, "ok", "x")
    os.mkfifo(context.workspace / "pipe")
    with pytest.raises(ToolFailed):
        read(context, "pipe")


def test_an_edit_needs_exactly_one_match(context: ToolContext) -> None:
    write(context, "a", "x x")
    with pytest.raises(ToolRetry, match="2 times"):
        files.edit_file(context, files.EditFile(path="a", old="x", new="y"))
    assert read(context, "a") == "x x"


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
