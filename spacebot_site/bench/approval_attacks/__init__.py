"""What a hijacked model, a member without the right and plain bad luck try, to run something that nobody approved.

Each attack is a function of an `Arena` in `ATTACKS`. It makes a room of its own (an agent, a conversation, a member who
asks), lets a scripted model try, and says by `room.tried()` how many calls it tried to get past the gate. Whether any
of them ran is not for the attack to say: `verdict.unapproved` reads it from the workspaces and the rows afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

from spacebot_site.bench.approval_attacks import deciders, doors, grants, itself, moments, words
from spacebot_site.bench.approval_attacks.arena import Arena

ATTACKS: tuple[Callable[[Arena], None], ...] = (
    *words.ATTACKS,
    *doors.ATTACKS,
    *deciders.ATTACKS,
    *moments.ATTACKS,
    *grants.ATTACKS,
    *itself.ATTACKS,
)
"""In this order; each leaves the others' rooms alone."""
