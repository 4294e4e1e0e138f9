"""How long a worker waits for its browser's first page, for `bench tools`: from nothing to a snapshot with references."""

from __future__ import annotations

import statistics
import time

from agents.browser import acts
from agents.browser.loop import drive, driver
from agents.browser.session import Session
from agents.egress.checking import Checker
from agents.egress.policy import Policy
from spacebot_site.bench.egress_classes import Trap, loopback

ROUNDS = 5


def browser_first_ms(*, rounds: int = ROUNDS) -> float:
    """Return the median; the driver, which a worker process starts once, runs already."""
    drive(driver(), timeout_s=60)
    with Trap({"/": (200, "", b"<h1>Hello</h1><button>Go</button>")}) as site:
        checker = Checker(Policy(private=frozenset({("127.0.0.1", site.port)})), loopback)
        return statistics.median(_once(checker, f"http://127.0.0.1:{site.port}/") for _ in range(rounds))


def _once(checker: Checker, url: str) -> float:
    began = time.perf_counter()
    session = Session(checker)
    session.start()
    try:
        drive(acts.navigate(session, url, new_tab=False), timeout_s=60)
        drive(_snapshot(session), timeout_s=60)
        return (time.perf_counter() - began) * 1_000
    finally:
        session.close()


async def _snapshot(session: Session) -> str:
    return await session.page.locator("body").aria_snapshot(mode="ai")
