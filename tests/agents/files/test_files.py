from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agents.errors import RunStopped, ToolFailed, ToolRetry
from agents.tools.base import ToolContext
from agents.tools.files import changing, listing, quota, reading, storing
from agents.tools.gate import OUTPUT_CAP_BYTES
from tests.agents.files.conftest import Use


def test_files_are_written_read_edited_appended_and_listed(use: Use) -> None:
    use("write_file", path="a/b/notes.txt", content="one\ntwo\n")
    use("append_file", path="a/b/notes.txt", content="three\n")
    assert use("edit_file", path="a/b/notes.txt", old="two", new="2") == "Edited a/b/notes.txt in 1 place."
    assert use("read_file", path="a/b/notes.txt") == "one\n2\nthree"
    assert use("list_files", path="a") == "b/"
    assert use("list_files") == "a/"


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", "a/\0b", "", ".", "x" * 300, "a/" * 90 + "x"]
)
def test_paths_that_leave_or_make_no_sense_are_refused(use: Use, path: str) -> None:
    with pytest.raises(ToolRetry):
        use("write_file", path=path, content="x")


def test_a_range_of_lines_says_how_many_follow_and_where_to_go_on(use: Use) -> None:
    use("write_file", path="a", content="1\n2\n3\n4\n")
    shown = use("read_file", path="a", first_line=2, lines=2, numbered=True)
    assert shown == "2\t2\n3\t3\n[1 more lines; 4 in all; go on at line 4]"
    assert use("read_file", path="a", first_line=9) == "[no lines there; the file has 4]"


def test_a_large_file_is_read_in_pieces_and_never_beyond_what_a_result_holds(
    use: Use, workspace: Path
) -> None:
    line = b"x" * 99 + b"\n"
    (workspace / "large").write_bytes(line * 400_000)
    shown = use("read_file", path="large", first_line=399_000, lines=10_000)
    assert len(shown.encode()) < OUTPUT_CAP_BYTES
    assert "400000 in all" in shown
    (workspace / "wide").write_bytes(b"y" * 3_000_000 + b"\nend")
    shown = use("read_file", path="wide")
    assert shown == "y" * reading.LINE_BYTES + " [line cut]\nend"


def test_what_is_not_text_is_told_with_what_it_is(use: Use, workspace: Path) -> None:
    (workspace / "a.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    with pytest.raises(ToolFailed, match="image/png, 10 bytes"):
        use("read_file", path="a.txt")
    (workspace / "latin").write_bytes(b"gr\xfc\xdfe\nok")
    assert use("read_file", path="latin") == "gr��e\nok\n[what is not UTF-8 shows as �]"


def test_an_edit_needs_one_match_or_takes_all_and_says_how_many(use: Use) -> None:
    use("write_file", path="a", content="x x")
    with pytest.raises(ToolRetry, match="2 times"):
        use("edit_file", path="a", old="x", new="y")
    with pytest.raises(ToolRetry, match="does not occur"):
        use("edit_file", path="a", old="z", new="y")
    assert use("read_file", path="a") == "x x"
    assert use("edit_file", path="a", old="x", new="y", replace_all=True) == "Edited a in 2 places."
    assert use("read_file", path="a") == "y y"


def test_an_edit_leaves_line_ends_and_bytes_that_are_no_text_as_they_were(use: Use, workspace: Path) -> None:
    (workspace / "a").write_bytes(b"one\r\ntwo\r\n\xff\r\n")
    use("edit_file", path="a", old="one\ntwo", new="1\n2")
    assert (workspace / "a").read_bytes() == b"1\r\n2\r\n\xff\r\n"


def test_a_write_that_breaks_off_leaves_the_file_as_it_was(
    use: Use, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("write_file", path="a", content="before")

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(storing.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        use("write_file", path="a", content="after")
    assert (workspace / "a").read_text() == "before"
    assert [each.name for each in workspace.iterdir()] == ["a"]


def test_a_script_stays_one_when_it_is_written_anew(use: Use, workspace: Path) -> None:
    use("write_file", path="run", content="1")
    (workspace / "run").chmod(0o755)
    use("write_file", path="run", content="2")
    assert (workspace / "run").stat().st_mode & 0o777 == 0o711
    assert (workspace / "run").read_text() == "2"


def test_a_list_goes_into_folders_if_asked_and_is_bounded(use: Use, workspace: Path) -> None:
    for path in ("src/a.py", "src/deep/b.py", ".git/config", "z.txt"):
        use("write_file", path=path, content="x")
    assert use("list_files", recursive=True).splitlines() == [
        ".git/ (not looked into)", "src/", "src/a.py (1 bytes)", "src/deep/", "src/deep/b.py (1 bytes)", "z.txt (1 bytes)",
    ]  # fmt: skip
    for number in range(listing.MOST_SHOWN + 5):
        (workspace / "src" / f"{number:04}").touch()
    shown = use("list_files", path="src").splitlines()
    assert len(shown) == listing.MOST_SHOWN + 1
    assert shown[-1] == "[7 more]"


def test_what_is_moved_is_there_and_nothing_is_overwritten(use: Use) -> None:
    use("write_file", path="a", content="1")
    use("write_file", path="b", content="2")
    with pytest.raises(ToolRetry, match="already"):
        use("move_file", source="a", target="b")
    use("move_file", source="a", target="new/folder/c")
    assert use("read_file", path="new/folder/c") == "1"
    with pytest.raises(ToolRetry, match="cannot be moved"):
        use("move_file", source="new", target="new/folder/below")
    with pytest.raises(ToolRetry, match="There is no"):
        use("move_file", source="a", target="d")


def test_a_folder_is_deleted_with_what_is_in_it_only_if_that_is_said(use: Use, workspace: Path) -> None:
    use("write_file", path="a/b/c", content="1")
    with pytest.raises(ToolRetry, match="recursive"):
        use("delete_file", path="a")
    use("delete_file", path="a", recursive=True)
    assert list(workspace.iterdir()) == []
    with pytest.raises(ToolRetry, match="There is no"):
        use("delete_file", path="a")
    with pytest.raises(ToolRetry):
        use("delete_file", path=".")


def test_a_workspace_holds_no_more_than_its_setting_says(use: Use, settings: Any, workspace: Path) -> None:
    settings.SPACEBOT_WORKSPACE_MB = 1
    use("write_file", path="a", content="x" * 600_000)
    for name, arguments in (("write_file", {}), ("append_file", {})):
        with pytest.raises(ToolFailed, match="1,000,000 bytes"):
            use(name, path="b", content="x" * 500_000, **arguments)
    assert [each.name for each in workspace.iterdir()] == ["a"]
    use("delete_file", path="a")
    use("write_file", path="b", content="x" * 500_000)
    settings.SPACEBOT_WORKSPACE_MB = 2
    use("write_file", path="c", content="x" * 600_000)


def test_a_workspace_with_too_many_names_takes_no_more(
    use: Use, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "MOST_NAMES", 3)
    for number in range(5):
        (workspace / str(number)).touch()
    with pytest.raises(ToolFailed, match="more than 3 files"):
        use("write_file", path="a", content="x")


def test_a_file_that_is_too_large_to_write_or_edit_is_refused(use: Use, workspace: Path) -> None:
    with pytest.raises(ToolRetry, match="2,000,000"):
        use("write_file", path="a", content="x" * (changing.MOST_BYTES + 1))
    (workspace / "large").write_bytes(b"x" * (changing.MOST_BYTES + 1))
    with pytest.raises(ToolFailed, match="too large"):
        use("edit_file", path="large", old="x", new="y")


def test_a_cancelled_run_stops_looking_around(use: Use, context: ToolContext, workspace: Path) -> None:
    (workspace / "a").touch()
    context.cancel.cancel("cancelled: enough")
    for name, arguments in (("list_files", {}), ("search_files", {"pattern": "x"})):
        with pytest.raises(RunStopped):
            use(name, **arguments)


def test_another_conversations_workspace_is_another_folder(use: Use, workspace: Path) -> None:
    other = workspace.parent / "other"
    other.mkdir()
    (other / "secret").write_text("s")
    os.symlink(other, workspace / "near")
    for path in ("near/secret", "../other/secret"):
        with pytest.raises((ToolFailed, ToolRetry)):
            use("read_file", path=path)
