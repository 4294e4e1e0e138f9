from __future__ import annotations

import json

import pytest

from spacebot_site.bench.report import Aim, percentile, show


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert percentile([7.0], 0.95) == 7.0


def test_a_missing_figure_never_meets_its_aim() -> None:
    assert not Aim(5).is_met(None)
    assert Aim(5).is_met(5)
    assert Aim(40, at_least=True).is_met(41)
    assert not Aim(40, at_least=True).is_met(39)


def test_json_is_one_object_on_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    show({"lost": 0, "cpu_ms": 21.5}, {"lost": Aim(0)}, as_json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"lost": 0, "cpu_ms": 21.5}


def test_the_table_says_what_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    show({"lost": 1}, {"lost": Aim(0)}, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1].split() == ["lost", "1", "≤", "0", "missed"]
