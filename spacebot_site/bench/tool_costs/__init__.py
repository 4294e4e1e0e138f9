"""What tools cost. A measure is a function that returns figures by name; a new one is a module here and a line below."""

from __future__ import annotations

from collections.abc import Callable

from spacebot_site.bench.report import Value
from spacebot_site.bench.tool_costs import browser, gate, sandbox, scrubbing

COSTS: tuple[Callable[..., dict[str, Value]], ...] = (
    sandbox.start,
    sandbox.stop,
    gate.measure,
    browser.first,
    scrubbing.speed,
)
