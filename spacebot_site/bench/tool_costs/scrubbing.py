"""How fast texts are scrubbed."""

from __future__ import annotations

from spacebot_site.bench.report import Value
from spacebot_site.bench.secrets import scrub_mb_per_s


def speed(*, quick: bool) -> dict[str, Value]:
    return {"scrub_mb_per_s": round(scrub_mb_per_s(quick=quick), 1)}
