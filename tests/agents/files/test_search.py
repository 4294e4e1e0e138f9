from __future__ import annotations

import time
from pathlib import Path

import pytest

from agents.errors import ToolRetry
from agents.tools.files import searching
from tests.agents.files.conftest import Use


@pytest.fixture
def tree(use: Use) -> None:
    use("write_file", path="src/main.py", content="import os\n\ndef main():\n    return os.getcwd()\n")
    use("write_file", path="src/deep/util.py", content="# Main things\nX = 1\n")
    use("write_file", path="notes.txt", content="the main point\n")
    use("write_file", path=".git/config", content="main\n")


def test_it_finds_lines_with_their_places(use: Use, tree: None) -> None:
    assert use("search_files", pattern=r"main\b").splitlines() == [
        "notes.txt:1: the main point",
        "src/main.py:3: def main():",
    ]
    assert "src/deep/util.py:1: # Main things" in use("search_files", pattern="MAIN", ignore_case=True)


def test_it_looks_only_where_it_is_told(use: Use, tree: None) -> None:
    assert use("search_files", pattern="main", glob="*.py") == "src/main.py:3: def main():"
    assert use("search_files", pattern="main", glob="src/*.py") == "src/main.py:3: def main():"
    assert use("search_files", pattern="main", path="notes.txt") == "notes.txt:1: the main point"
    assert use("search_files", pattern="X", path="src") == "deep/util.py:2: X = 1"
    with pytest.raises(ToolRetry):
        use("search_files", pattern="X", path="nowhere")


def test_it_shows_what_stands_around_and_names_alone(use: Use, tree: None) -> None:
    assert use("search_files", pattern="def", context_lines=1).splitlines() == [
        "src/main.py-2- ",
        "src/main.py:3: def main():",
        "src/main.py-4-     return os.getcwd()",
    ]
    assert use("search_files", pattern="main", names_only=True).splitlines() == [
        "notes.txt: 1 line",
        "src/main.py: 1 line",
    ]


def test_plain_text_is_not_taken_for_a_pattern(use: Use, tree: None) -> None:
    assert use("search_files", pattern="getcwd()", literal=True) == "src/main.py:4:     return os.getcwd()"
    with pytest.raises(ToolRetry, match="no regular expression"):
        use("search_files", pattern="getcwd(")


def test_what_it_finds_is_bounded(use: Use, workspace: Path) -> None:
    (workspace / "many").write_text("hit\n" * 10_000)
    (workspace / "wide").write_text("hit" + "x" * 5_000)
    shown = use("search_files", pattern="hit", most_matches=5).splitlines()
    assert len(shown) == 6
    assert "narrow the search" in shown[-1]
    assert "[line cut]" in use("search_files", pattern="hit", path="wide")
    assert len(use("search_files", pattern="h", context_lines=10, most_matches=500).encode()) < 50_000


def test_what_is_no_text_is_passed_over_and_counted(use: Use, workspace: Path) -> None:
    (workspace / "binary").write_bytes(b"hit\0")
    (workspace / "large").write_bytes(b"hit\n" + b"x" * searching.MOST_FILE_BYTES)
    assert use("search_files", pattern="hit").splitlines() == [
        "[nothing found]",
        "[2 files passed over: binary, linked or too large]",
    ]


def test_a_pattern_that_never_ends_is_stopped(
    use: Use, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_S", 0.3)
    (workspace / "a").write_text("a" * 60 + "!")
    started = time.monotonic()
    shown = use("search_files", pattern=r"^(?:a|a|aa)+$")
    assert time.monotonic() - started < 60
    assert "stopped after" in shown
