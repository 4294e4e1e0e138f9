"""Django's Redis cache with one client per process.

Django makes a client for every operation and a connection pool for every thread and request; making one costs more
than the operation. Clients and pools of `redis` may be shared between threads.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class _Client(RedisCacheClient):
    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


@lru_cache
def _client_of(server: str) -> _Client:
    return _Client([server])


class SharedRedisCache(RedisCache):
    """For one server, without options of its own."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server = server

    @cached_property
    def _cache(self) -> _Client:
        return _client_of(self._server)
