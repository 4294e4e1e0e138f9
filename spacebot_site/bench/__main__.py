"""`./spacebot bench NAME [--json] [--quick]`."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable

from spacebot_site.bench import approvals, faults, locomo, recall, schedule, secrets, tools, turns, walls
from spacebot_site.bench.report import Aim, show


def run_turns(*, quick: bool, as_json: bool) -> int:
    """Measure turns. Exits 0 whatever the figures are, unless a reply was lost, doubled or crossed."""
    measured = turns.measure(quick=quick)
    if not as_json:
        _show_parts("processor ms a turn", measured.cpu_by_process)
        _show_parts("MB at rest", measured.memory_at_rest)
        _show_parts("MB after the load", measured.memory_after_load)
    show(measured.figures, turns.AIMS, as_json=as_json)
    return int(any(measured.figures[key] for key in ("lost", "doubled", "crossed")))


def run_faults(*, quick: bool, as_json: bool) -> int:
    """Kill processes under load. Exits 1 if anything was lost or happened twice."""
    seed = random.randrange(10_000)
    found = faults.endure(quick=quick, seed=seed)
    for violation in found.violations[:200]:
        print(f"violation: {violation}")
    kills = sum(found.kills.values())
    if not as_json:
        print(f"seed {seed}, {found.messages} messages")
        print("killed: " + ", ".join(f"{name} {count}" for name, count in sorted(found.kills.items())))
        print("not reached: " + (", ".join(found.unreached) or "none"))
    show({"kills": kills, "violations": len(found.violations)}, {"violations": Aim(0)}, as_json=as_json)
    return int(bool(found.violations))


def run_schedule(*, quick: bool, as_json: bool) -> int:
    """Let many jobs come due at once. Exits 1 if one was lost or ran twice."""
    figures = schedule.measure(quick=quick)
    show(figures, schedule.AIMS, as_json=as_json)
    return int(bool(figures["lost"] or figures["doubled"]))


def _show_parts(title: str, parts: dict[str, float]) -> None:
    shown = ", ".join(f"{name} {value:.1f}" for name, value in parts.items())
    print(f"{title}: {sum(parts.values()):.1f} = {shown}")


BENCHES: dict[str, Callable[..., int]] = {
    "approvals": approvals.run,
    "faults": run_faults,
    "turns": run_turns,
    "locomo": locomo.run,
    "recall": recall.run,
    "schedule": run_schedule,
    "secrets": secrets.run,
    "tools": tools.run,
    "walls": walls.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="spacebot bench", description="Measure a throwaway installation.")
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    parser.add_argument("--quick", action="store_true", help="under a minute, and rougher")
    options = parser.parse_args()
    return BENCHES[options.name](quick=options.quick, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
