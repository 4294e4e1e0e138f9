"""A small real job: a repository with a test that fails, and what a worker calls to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GIT = "git -c user.name=me -c user.email=me@example.org"
TEST = "python3 -B -m unittest discover -s tests -t ."
SUMMARY = "The sum was a difference; mended, the test passes, committed."


def plant(workspace: Path) -> None:
    """Put the files of the repository into a workspace; the job makes a repository of them."""
    source = workspace / "source"
    (source / "tests").mkdir(parents=True)
    (source / "tests" / "__init__.py").touch()
    (source / "sums.py").write_text("def add(a, b):\n    return a - b\n")
    (source / "tests" / "test_sums.py").write_text(
        "import unittest\nfrom sums import add\n\n\nclass Sums(unittest.TestCase):\n"
        "    def test_add(self):\n        self.assertEqual(add(2, 3), 5)\n"
    )


def steps(*, test: str = TEST) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls in order; `test` is the command that tests what was mended."""
    begin = f"git init -q -b main && git add -A && {GIT} commit -qm first"
    commit = f"{GIT} commit -qam 'Add adds' && git log --oneline | wc -l"
    return [
        ("shell", {"command": f"cd source && {begin} && cd .. && git clone -q source copy"}),
        ("shell", {"command": TEST, "folder": "copy"}),
        ("read_file", {"path": "copy/sums.py"}),
        ("edit_file", {"path": "copy/sums.py", "old": "a - b", "new": "a + b"}),
        ("shell", {"command": test, "folder": "copy"}),
        ("shell", {"command": commit, "folder": "copy"}),
        ("set_outcome", {"status": "done", "summary": SUMMARY}),
    ]
