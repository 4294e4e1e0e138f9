"""Planted secrets, in each encoding, through every door; see `spacebot_site/bench/secret_attacks/`."""

from __future__ import annotations

from spacebot_site.bench.wall_attacks.tally import AttackClass, Tally


def _exfiltrate(tally: Tally) -> None:
    from spacebot_site.bench.secrets import attack

    tried, found = attack()
    tally.tried += tried
    tally.failures += [f"{tally.name}: {each}" for each in found]


CLASSES = (AttackClass("secrets", _exfiltrate),)
