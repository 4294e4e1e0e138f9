"""Sending frames to every web process, through one publish/subscribe channel per organization.

The caller only puts bytes into a queue. One thread per process sends them in that order, many per round trip.
When Valkey is away, frames are dropped: stored events reach clients all the same, because web processes
compare what they delivered with PostgreSQL (see `hub.py`).
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time

import redis
from django.conf import settings
from django.db import connection

from realtime.frames import Frame

logger = logging.getLogger(__name__)

QUEUE_LIMIT = 20_000
BATCH = 200
TIMEOUT_S = 2.0
RETRY_PAUSE_S = 0.5


def channel_name(organization_id: int) -> str:
    """Name an organization's channel; the database's name keeps installations that share a server apart."""
    return f"events:{connection.settings_dict['NAME']}:{organization_id}"


class Publisher:
    """An ordered queue and the thread that empties it."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[str, bytes]] = queue.Queue(QUEUE_LIMIT)
        self._thread = threading.Thread(target=self._run, name="realtime-publisher", daemon=True)
        self._thread.start()

    def put(self, channel: str, raw: bytes) -> None:
        try:
            self._queue.put_nowait((channel, raw))
        except queue.Full:
            logger.warning("the event queue is full; an event for %s was not published", channel)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything put so far was sent or dropped; say whether that happened in time."""
        until = time.monotonic() + timeout_s
        while self._queue.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.002)
        return not self._queue.unfinished_tasks

    def _run(self) -> None:
        client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        )
        away = False
        while True:
            batch = self._take_batch()
            try:
                _send(client, batch)
                away = False
            except (redis.RedisError, OSError) as error:
                if not away:
                    logger.warning("events are not published, Valkey is away: %s", error)
                away = True
                time.sleep(RETRY_PAUSE_S)
            finally:
                for _ in batch:
                    self._queue.task_done()

    def _take_batch(self) -> list[tuple[str, bytes]]:
        batch = [self._queue.get()]
        while len(batch) < BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch


def _send(client: redis.Redis, batch: list[tuple[str, bytes]]) -> None:
    if len(batch) == 1:
        client.publish(*batch[0])
        return
    pipeline = client.pipeline(transaction=False)
    for channel, raw in batch:
        pipeline.publish(channel, raw)
    pipeline.execute()


_lock = threading.Lock()
_publisher: Publisher | None = None


def publisher() -> Publisher:
    """Return this process's publisher, started at first use."""
    global _publisher
    if _publisher is None:
        with _lock:
            if _publisher is None:
                _publisher = Publisher()
    return _publisher


def _forget_publisher() -> None:
    global _publisher, _lock
    _publisher, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_publisher)


def publish(organization_id: int, *frames: Frame) -> None:
    """Queue frames for everyone who listens to the organization. Never blocks, never raises."""
    try:
        target, channel = publisher(), channel_name(organization_id)
        for frame in frames:
            target.put(channel, frame.encode())
    except Exception:
        logger.exception("an event could not be published")
