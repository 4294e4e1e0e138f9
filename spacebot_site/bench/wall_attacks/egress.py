"""The way out: spellings, redirects, rebinding, the proxy and pages, as `spacebot_site/bench/egress_classes.py` tries them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from spacebot_site.bench import egress_classes
from spacebot_site.bench.wall_attacks.tally import AttackClass, Tally


def _count(act: Callable[[], egress_classes.Tally], tally: Tally) -> None:
    found = act()
    tally.tried += found.tried
    tally.failures += [f"{tally.name}: {each}" for each in found.failed]


CLASSES = tuple(AttackClass(name, partial(_count, act)) for name, act in egress_classes.CLASSES.items())
