"""What `./spacebot doctor` learns from inside, about what is optional: missing is no fault, named and missing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.browser import walls
from agents.sandbox.drivers import DRIVERS
from spacebot_site.examination import CHECKS, Unwell


def program(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return str(path)


@pytest.fixture
def bare(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine with no browser and no coding agent."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    settings.SPACEBOT_HOME = tmp_path
    settings.SPACEBOT_CHROMIUM = settings.SPACEBOT_OPENCODE = settings.SPACEBOT_CLAUDE = ""
    return settings


def test_what_is_optional_and_missing_is_told_with_how_to_have_it(bare: Any) -> None:
    assert CHECKS["browser"]() == (
        "none: no Chromium is installed here; an administrator can run ./spacebot install browser"
    )
    assert CHECKS["coding"]().startswith("none: opencode is not installed here; an administrator can run")


def test_what_is_there_is_told_with_its_place(
    bare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walls, "sandbox_here", lambda: DRIVERS["namespaces"])
    bare.SPACEBOT_CHROMIUM = program(tmp_path, "chromium")
    bare.SPACEBOT_CLAUDE = program(tmp_path, "claude")
    assert CHECKS["browser"]() == f"{tmp_path}/chromium behind namespaces"
    assert CHECKS["coding"]() == f"Claude Code at {tmp_path}/claude"


def test_another_that_is_there_does_not_make_up_for_one_that_is_named(bare: Any, tmp_path: Path) -> None:
    bare.SPACEBOT_OPENCODE = "/nowhere/at/all"
    bare.SPACEBOT_CLAUDE = program(tmp_path, "claude")
    with pytest.raises(Unwell, match="SPACEBOT_OPENCODE names"):
        CHECKS["coding"]()


@pytest.mark.parametrize(
    ("setting", "check"),
    [("SPACEBOT_CHROMIUM", "browser"), ("SPACEBOT_OPENCODE", "coding"), ("SPACEBOT_CLAUDE", "coding")],
)
def test_what_is_named_and_missing_is_a_fault(bare: Any, setting: str, check: str) -> None:
    setattr(bare, setting, "/nowhere/at/all")
    with pytest.raises(Unwell, match=f"{setting} names /nowhere/at/all, which is no program"):
        CHECKS[check]()
