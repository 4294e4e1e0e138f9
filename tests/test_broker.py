"""The broker's transport: what it spares is not needed, and what is needed still happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from kombu import Connection, Consumer, Producer, Queue

from spacebot_site import broker, celery
from spacebot_site.service_urls import celery_broker_url


@pytest.fixture
def commands() -> Iterator[Any]:
    """Count what Valkey is asked, by command."""
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    client.config_resetstat()
    yield lambda name: int(client.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0))
    client.close()


def deliver(queue: Queue) -> list[str]:
    """Send three messages through the transport, take and acknowledge them; return what came."""
    found: list[str] = []

    def take(body: str, message: Any) -> None:
        found.append(body)
        message.ack()

    with Connection(celery_broker_url(settings.REDIS_URL)) as connection:
        assert isinstance(connection.transport, broker.Transport)
        producer = Producer(connection.channel(), routing_key=queue.name)
        for number in range(3):
            producer.publish(f"nudge {number}", declare=[queue], serializer="json")
        with Consumer(connection.channel(), [queue], callbacks=[take], accept=["json"]):
            while len(found) < 3:
                connection.drain_events(timeout=25)
        connection.channel().queue_delete(queue.name)
    return found


def test_what_is_consumed_without_account_is_not_acknowledged_to_the_server(commands: Any) -> None:
    assert deliver(Queue("unaccounted", no_ack=True)) == ["nudge 0", "nudge 1", "nudge 2"]
    assert commands("zrem") == 0


def test_what_is_consumed_with_account_is_acknowledged(commands: Any) -> None:
    assert deliver(Queue("accounted")) == ["nudge 0", "nudge 1", "nudge 2"]
    assert commands("zrem") == 3


def test_a_channel_keeps_its_clients_until_its_pool_is_another() -> None:
    with Connection(celery_broker_url(settings.REDIS_URL)) as connection:
        channel = connection.channel()
        first = channel._create_client()
        assert channel._create_client() is first
        channel._disconnect_pools()
        channel._pool = None
        assert channel._create_client() is not first
        assert channel._create_client().ping()


def test_celery_speaks_through_it() -> None:
    with celery.app.connection_for_write() as connection:
        assert isinstance(connection.transport, broker.Transport)
