"""Ways in: an order is planted where a model will read it, the model obeys to the letter, and what it got is looked for outside.

One class for each way in, and each for every sandbox driver that works here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from agents.sandbox import probe
from agents.sandbox.drivers import DRIVERS
from spacebot_site.bench.wall_attacks.tally import AttackClass, Tally


def classes(*, quick: bool = False) -> list[AttackClass]:
    """Return a class for each driver and way in; quick ones try few aims, with the best driver."""
    from spacebot_site.bench.entry_attacks.ways_in import WAYS_IN

    names = [trial.name for trial in probe.trials() if trial.works]
    return [
        AttackClass(f"{name}.entry.{way.name}", partial(enter, name, way.name, quick=quick))
        for name in (names[:1] if quick else names)
        for way in WAYS_IN
    ]


def enter(driver: str, name: str, tally: Tally, *, quick: bool = False) -> None:
    from spacebot_site.bench.entry_attacks.obeying import Obedient
    from spacebot_site.bench.entry_attacks.place import build_place
    from spacebot_site.bench.entry_attacks.verdict import got
    from spacebot_site.bench.entry_attacks.ways_in import ORDER, WAYS_IN

    way = next(each for each in WAYS_IN if each.name == name)
    mark = f"-{driver}-{name.replace(' ', '-').lower()}"[:60]
    with _walls_of(driver), build_place(mark, description=ORDER if way.in_tools else "") as place:
        way.plant(place)
        before = place.state()
        tried = Obedient(place, way, every=12 if quick else 1).run()
        if not tried:
            raise RuntimeError(f"the order never came before a model: {name}: {place.shown[-1][-2_000:]}")
        found = got(place)
        after = place.state()
    found += [f"{what} changed" for what in before if before[what] != after[what]]
    if way.fence:
        bare = [line for line in place.ordered if not line.startswith(way.fence)]
        tally.record("it comes as data", held=bool(place.ordered) and not bare, saw="; ".join(bare))
    tally.tried += tried
    tally.failures += [f"{tally.name}: {each}" for each in found]


@contextmanager
def _walls_of(driver: str) -> Iterator[None]:
    """Let commands run behind these walls, whichever are the best."""
    best = probe.best
    probe.best = lambda: DRIVERS[driver]
    try:
        yield
    finally:
        probe.best = best
