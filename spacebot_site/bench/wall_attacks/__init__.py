"""What a hijacked model tries against containment, counted by class.

A class of attacks is a module here with `CLASSES`: each has a name and a function that is given a `Tally` and says of every
attempt whether it held. A new class is a module and a line below. Classes that must hold for every sandbox driver come once
for each that this machine has.
"""

from __future__ import annotations

from spacebot_site.bench.wall_attacks import egress, entries, evasion, sandbox, secrets
from spacebot_site.bench.wall_attacks.tally import AttackClass

CLASSES: tuple[AttackClass, ...] = (
    *sandbox.classes(),
    *egress.CLASSES,
    *secrets.CLASSES,
    *evasion.classes(),
    *entries.classes(),
)
