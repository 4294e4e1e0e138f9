"""The secrets' part of `bench walls` and `bench tools`: what gets out in which encoding, and how fast texts are scrubbed."""

from __future__ import annotations

import logging
import secrets
import sys
import time
from pathlib import Path

from spacebot_site.bench.database import throwaway_database
from spacebot_site.bench.report import Aim, show

ROOT = Path(__file__).resolve().parents[2]
PLANTED_AT_ONCE = 20
CORPUS_BYTES = 4_000_000


AIMS = {
    "tried": Aim(1_000, at_least=True),
    "failed": Aim(0),
    "scrub_mb_per_s": Aim(20, at_least=True),
    "false_per_mb": Aim(12),
}


def run(*, quick: bool, as_json: bool) -> int:
    """Exits 1 if a planted secret got through any door in any encoding."""
    speed = scrub_mb_per_s(quick=quick)
    with throwaway_database():
        tried, found = attack()
    for sentence in found:
        print(f"through: {sentence}", file=sys.stderr)
    figures = {
        "tried": tried,
        "held": tried - len(found),
        "failed": len(found),
        "scrub_mb_per_s": round(speed, 1),
        "false_per_mb": round(false_per_mb(), 1),
    }
    show(figures, AIMS, as_json=as_json)
    return int(bool(found))


def false_per_mb() -> float:
    """Count what patterns alone find in ordinary text, per million characters."""
    from secret_store.scrubbing.scrubber import Scrubber

    text = corpus()
    return len(Scrubber([]).spans(text.encode())) / (len(text) / 1e6)


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
    """Scrub this program's own text and code, with known secrets and all patterns; the best of a few, by processor time."""
    from secret_store.scrubbing.scrubber import Scrubber

    known = [(f"SECRET_{number}", secrets.token_urlsafe(30)) for number in range(PLANTED_AT_ONCE)]
    text = corpus()
    best = 0.0
    for _ in range(2 if quick else 5):
        scrubber = Scrubber(known)
        started = time.process_time()
        scrubber.scrub(text)
        best = max(best, len(text.encode()) / 1e6 / (time.process_time() - started))
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
