"""`bench tools`: what it costs to start behind walls, to pass the gate, to stop, to open a page, and to scrub."""

from __future__ import annotations

from spacebot_site.bench.database import throwaway_database
from spacebot_site.bench.report import Aim, Value, show

AIMS = {
    "sandbox_p50_ms": Aim(15),
    "stop_p95_ms": Aim(2_000),
    "gate_p50_ms": Aim(2),
    "browser_first_ms": Aim(1_500),
    "scrub_mb_per_s": Aim(20, at_least=True),
}


def run(*, quick: bool, as_json: bool) -> int:
    """Exits 0 whatever the figures are."""
    with throwaway_database():
        from spacebot_site.bench.tool_costs import COSTS

        figures: dict[str, Value] = {}
        for measure in COSTS:
            figures.update(measure(quick=quick))
    show(figures, AIMS, as_json=as_json)
    return 0
