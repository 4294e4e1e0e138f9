"""Every attack on secrets, in the suite's database; and a gate left open, which the bench must notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llm.services.shielding import Shielding
from spacebot_site.bench.secret_attacks import doors
from spacebot_site.bench.secret_attacks.arena import PLANTED, build_arena
from spacebot_site.bench.secret_attacks.encodings import ENCODINGS
from spacebot_site.bench.secret_attacks.verdict import leaked
from spacebot_site.bench.secrets import attack


@pytest.fixture(autouse=True)
def _home(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    settings.SPACEBOT_HOME = tmp_path


@pytest.mark.slow
def test_no_planted_secret_gets_out_or_in_in_any_encoding() -> None:
    tried, found = attack()
    assert not found, "\n".join(found)
    assert tried > 15 * len(PLANTED) * len(ENCODINGS)


def test_a_gate_that_is_left_open_shows_in_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shielding, "response", lambda self, response: (response, {}))
    arena = build_arena()
    doors.in_files_and_their_names(arena)
    found = leaked(arena)
    assert any("in a file" in each for each in found)
    assert len([each for each in found if "agents_step" in each]) > len(ENCODINGS)
