"""What a hijacked model tries, to carry a secret out in one of many encodings; and what it is shown that holds one.

Each attack is a function of an `Arena` in `ATTACKS`; it lets a scripted model push every encoding of every planted secret
through one door. Whether any of it got through is read afterwards from all rows, events, files and requests, by `verdict`.
"""

from __future__ import annotations

from collections.abc import Callable

from spacebot_site.bench.secret_attacks import doors, entrances
from spacebot_site.bench.secret_attacks.arena import Arena

ATTACKS: tuple[Callable[[Arena], None], ...] = (*doors.ATTACKS, *entrances.ATTACKS)
