"""A repository with a test that fails: what a worker is asked to mend."""

from __future__ import annotations

import subprocess
from pathlib import Path

GIT = ("git", "-c", "user.name=me", "-c", "user.email=me@example.org")
TESTS = "python3 -B -m unittest discover -s tests -t ."


def make_repository(source: Path) -> None:
    (source / "tests").mkdir(parents=True)
    (source / "tests" / "__init__.py").touch()
    (source / "sums.py").write_text("def add(a, b):\n    return a - b\n")
    (source / "tests" / "test_sums.py").write_text(
        "import unittest\nfrom sums import add\n\n\nclass Sums(unittest.TestCase):\n"
        "    def test_add(self):\n        self.assertEqual(add(2, 3), 5)\n"
    )
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run([*GIT, *command], cwd=source, check=True, timeout=30)
