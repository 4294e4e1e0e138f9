"""Redis as the broker, without what kombu does there for every message and nobody needs.

It makes a client for each operation, which costs more than the operation, and it acknowledges to Redis even what was
consumed without account. Together that was most of a worker's main thread.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis

HERE = f"{__name__}:Transport"


class Channel(kombu_redis.Channel):
    """Keeps its clients as long as their pools. Clients of `redis` may be shared between threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._clients: dict[bool, Any] = {}
        super().__init__(*args, **kwargs)

    def _create_client(self, asynchronous: bool = False) -> Any:
        kept = self._clients.get(asynchronous)
        if kept is None or kept.connection_pool is not (self.async_pool if asynchronous else self.pool):
            kept = self._clients[asynchronous] = super()._create_client(asynchronous)  # type: ignore[misc]
        return kept

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        if delivery_tag in (self.qos._delivered or ()):
            super().basic_ack(delivery_tag, multiple=multiple)


class Transport(kombu_redis.Transport):
    Channel = Channel


def use() -> None:
    """Let addresses that begin with redis:// or rediss:// mean this transport."""
    TRANSPORT_ALIASES.update(redis=HERE, rediss=HERE)
