"""The secrets' part of `bench walls` and `bench tools`: what gets out in which encoding, and how fast texts are scrubbed."""

from __future__ import annotations

import logging
import secrets
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLANTED_AT_ONCE = 20
CORPUS_BYTES = 4_000_000


def attack() -> tuple[int, list[str]]:
    """Try every attack in the database at hand; return how many encodings were tried, and what got through."""
    from spacebot_site.bench.approval_attacks.arena import forget_scripts
    from spacebot_site.bench.secret_attacks import ATTACKS
    from spacebot_site.bench.secret_attacks.arena import LogKeeper, build_arena, watch_stream
    from spacebot_site.bench.secret_attacks.verdict import leaked

    arena = build_arena()
    keeper = LogKeeper(arena)
    logging.getLogger().addHandler(keeper)
    stop = watch_stream(arena)
    try:
        for number, act in enumerate(ATTACKS, 1):
            print(f"\u00b7 {number} of {len(ATTACKS)}: {act.__name__}", file=sys.stderr, flush=True)
            act(arena)
    finally:
        stop()
        logging.getLogger().removeHandler(keeper)
        forget_scripts()
    return arena.tried, leaked(arena)


def scrub_mb_per_s(*, quick: bool) -> float:
    """Scrub this program's own text and code, with known secrets and all patterns; the best of a few times."""
    from secret_store.scrubbing.scrubber import Scrubber

    known = [(f"SECRET_{number}", secrets.token_urlsafe(30)) for number in range(PLANTED_AT_ONCE)]
    text = corpus()
    best = 0.0
    for _ in range(2 if quick else 5):
        scrubber = Scrubber(known)
        started = time.perf_counter()
        scrubber.scrub(text)
        best = max(best, len(text.encode()) / 1e6 / (time.perf_counter() - started))
    return best


def corpus() -> str:
    """Return ordinary text: documentation, templates and source code."""
    parts, size = [], 0
    for pattern in ("docs/**/*.md", "*.md", "templates/**/*.html", "static/**/*.js", "*/**/*.py"):
        for path in sorted(ROOT.glob(pattern)):
            if size > CORPUS_BYTES or {"node_modules", ".venv"} & set(path.parts):
                continue
            parts.append(path.read_text(errors="replace"))
            size += len(parts[-1])
    return "\n".join(parts)
