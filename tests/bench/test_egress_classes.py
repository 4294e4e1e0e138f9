from __future__ import annotations

import pytest

from spacebot_site.bench.egress_classes import CLASSES


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.browser) if "pages" in name else name for name in CLASSES]
)
def test_no_way_to_a_private_place_is_open(name: str) -> None:
    tally = CLASSES[name]()
    assert tally.tried > 0
    assert tally.failed == []
