"""How long the browser's first page takes."""

from __future__ import annotations

from spacebot_site.bench.report import Value


def first(*, quick: bool) -> dict[str, Value]:
    from spacebot_site.bench.browser_first import browser_first_ms

    return {"browser_first_ms": round(browser_first_ms(rounds=2 if quick else 5), 1)}
