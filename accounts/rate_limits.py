"""How often someone may ask: fixed windows of a minute, counted in Valkey in one round trip."""

from __future__ import annotations

import logging
import time
from functools import lru_cache

import redis
from django.conf import settings

from accounts.errors import AccountsError

logger = logging.getLogger(__name__)

WINDOW_S = 60
TIMEOUT_S = 0.5


class TooManyRequests(AccountsError):
    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def check_rate(who: str, *, limit: int) -> None:
    """Count one request of `who`; raise TooManyRequests above `limit` a minute. 0 means no limit.

    When Valkey is away nobody is refused: the limit protects the service and is not an authority.
    """
    if limit <= 0:
        return
    now = time.time()
    window = int(now // WINDOW_S)
    key = f"rate:{who}:{window}"
    try:
        pipeline = _client(settings.REDIS_URL).pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, WINDOW_S * 2)
        count = pipeline.execute()[0]
    except (redis.RedisError, OSError) as error:
        logger.warning("requests are not counted, Valkey is away: %s", error)
        return
    if count > limit:
        raise TooManyRequests(max(1, int((window + 1) * WINDOW_S - now)))
