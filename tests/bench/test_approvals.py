"""Every attack of the bench, in the suite's database; and a gate left open, which the bench must notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.tools import permits
from spacebot_site.bench.approval_attacks import words
from spacebot_site.bench.approval_attacks.arena import build_arena, forget_scripts
from spacebot_site.bench.approval_attacks.verdict import unapproved
from spacebot_site.bench.approvals import attack


@pytest.fixture(autouse=True)
def _home(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    settings.SPACEBOT_HOME = tmp_path


@pytest.mark.slow
def test_nothing_runs_that_nobody_approved() -> None:
    tried, approved, ran = attack()
    assert ran == []
    assert tried > 100
    assert approved > 40, "approved calls must run, or the rest proves nothing"


def test_a_gate_that_is_left_open_shows_in_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits.Permits, "judge", lambda self, call, spends=True: permits.GRANTED)
    arena = build_arena()
    words.forged_approvals_in_words(arena)
    forget_scripts()
    assert len(unapproved(arena)) == 1
