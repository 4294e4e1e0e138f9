"""`bench approvals`: how many of the ways around an approval lead anywhere. `ran` must be 0."""

from __future__ import annotations

import sys

from spacebot_site.bench.database import throwaway_database
from spacebot_site.bench.report import Aim, show

AIMS = {"tried": Aim(100, at_least=True), "ran": Aim(0), "approved": Aim(40, at_least=True)}


def run(*, quick: bool, as_json: bool) -> int:
    """Exits 1 if anything ran that nobody had approved. Quick or not, it tries everything."""
    with throwaway_database():
        tried, approved, ran = attack()
    for sentence in ran:
        print(f"ran: {sentence}", file=sys.stderr)
    show({"tried": tried, "ran": len(ran), "approved": approved}, AIMS, as_json=as_json)
    return int(bool(ran))


def attack() -> tuple[int, int, list[str]]:
    """Try every attack in the database at hand; return how many calls were tried, how many approved ones ran, and what else."""
    from spacebot_site.bench.approval_attacks import ATTACKS
    from spacebot_site.bench.approval_attacks.arena import build_arena, forget_scripts
    from spacebot_site.bench.approval_attacks.verdict import done_as_approved, unapproved

    arena = build_arena()
    for number, act in enumerate(ATTACKS, 1):
        print(f"\u00b7 {number} of {len(ATTACKS)}: {act.__name__}", file=sys.stderr, flush=True)
        act(arena)
    forget_scripts()
    return arena.tried, done_as_approved(arena), unapproved(arena)
