"""Models that asked for a pause, known to every process: an entry of the cache that expires by itself."""

from __future__ import annotations

import logging
import time

from django.core.cache import cache
from redis.exceptions import RedisError

from llm.services.routing import Candidate

log = logging.getLogger(__name__)

DEFAULT_S = 30.0
LONGEST_S = 900.0


def start(candidate: Candidate, retry_after_s: float | None) -> None:
    """Spare the model for as long as it asked, or for half a minute."""
    seconds = min(DEFAULT_S if retry_after_s is None else retry_after_s, LONGEST_S)
    if seconds <= 0 or not candidate.entry_id:
        return
    try:
        cache.set(_key(candidate), time.time() + seconds, timeout=max(1, round(seconds)))
    except RedisError:
        log.warning("the cache is unreachable: the pause of %s is not shared", candidate.model)


def split(candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Return those who may be asked now and those who are cooling down, each in the given order."""
    if len(candidates) < 2:
        return candidates, []
    try:
        ends = cache.get_many([_key(candidate) for candidate in candidates])
    except RedisError:
        return candidates, []
    now = time.time()
    ready = [c for c in candidates if ends.get(_key(c), 0.0) <= now]
    return ready, [c for c in candidates if c not in ready]


def _key(candidate: Candidate) -> str:
    return f"llm:cooldown:{candidate.entry_id}"
