"""One ear per web process: hears the bus, orders what is numbered, fans it out to local listeners.

Event numbers of an organization have no holes, and they become visible in PostgreSQL in their order. So when
number 7 arrives before 6, it waits a moment for 6 and then reads it from PostgreSQL; and what the bus lost
altogether (a publisher killed after its commit, Valkey restarted) is found by comparing with the counter.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from realtime import queries
from realtime.access import MEMBERS_CHANGED, Visibility
from realtime.bus import channel_name
from realtime.frames import ACCESS_CHANGED, Frame, decode
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

QUEUE_LIMIT = 1_000
HOLE_PATIENCE_S = 0.1
COMPARE_S = 5.0
LINGER_S = 60.0
COMPARE_WHILE_AWAY_S = 0.5
SUBSCRIBE_TIMEOUT_S = 2.0
READ_BATCH = 500


class Listener:
    """A bounded queue of frames. When it overflows, it is cut off and `fell_behind` says so."""

    def __init__(self, user_id: int | None = None, limit: int = QUEUE_LIMIT) -> None:
        self.user_id = user_id
        self.fell_behind = False
        self.access_changed = False
        self._limit = limit
        self._frames: deque[Frame] = deque()
        self._wake = asyncio.Event()

    def offer(self, frame: Frame) -> None:
        if len(self._frames) >= self._limit:
            self.fell_behind = True
        else:
            self._frames.append(frame)
        self._wake.set()

    def notice_access_change(self) -> None:
        self.access_changed = True
        self._wake.set()

    async def take(self, timeout_s: float) -> list[Frame]:
        """Return all frames that wait, or [] when the time is up or something else needs a look."""
        if not self._frames and not self.fell_behind and not self.access_changed:
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
        frames = list(self._frames)
        self._frames.clear()
        return frames


class Feed:
    """The ordered events of one organization, from `last` on."""

    def __init__(self, organization_id: int, visibility: Visibility) -> None:
        self.organization_id = organization_id
        self.listeners: set[Listener] = set()
        self.users = 0
        self.subscribed = asyncio.Event()
        self.starting = asyncio.Lock()
        self.last: int | None = None
        self._visibility = visibility
        self._early: dict[int, Frame] = {}
        self._repair: asyncio.Task[None] | None = None

    def begin(self, last: int) -> None:
        self.last = last
        self._drain()

    def hear(self, frame: Frame) -> None:
        if frame.kind == ACCESS_CHANGED:
            for listener in self.listeners:
                if listener.user_id == frame.user_id:
                    listener.notice_access_change()
        elif frame.number is None:
            self._deliver(frame)
        elif self.last is None or frame.number > self.last:
            self._early[frame.number] = frame
            self._drain()

    def catch_up(self, number: int) -> None:
        """Read from PostgreSQL whatever is still missing up to `number`, after a moment's patience."""
        if self.last is not None and number > self.last and (self._repair is None or self._repair.done()):
            self._repair = asyncio.create_task(self._fill(number))

    def close(self) -> None:
        if self._repair is not None:
            self._repair.cancel()

    def _drain(self) -> None:
        if self.last is None:
            return
        while frame := self._early.pop(self.last + 1, None):
            self.last += 1
            self._deliver(frame)
        if self._early:
            for number in [number for number in self._early if number <= self.last]:
                del self._early[number]
            if self._early:
                self.catch_up(max(self._early))

    def _deliver(self, frame: Frame) -> None:
        if frame.kind in MEMBERS_CHANGED:
            self._visibility.forget(frame.conversation_id)
        for listener in [*self.listeners]:
            listener.offer(frame)
            if listener.fell_behind:
                self.listeners.discard(listener)

    async def _fill(self, number: int) -> None:
        await asyncio.sleep(HOLE_PATIENCE_S)
        while self.last is not None and self.last < number:
            try:
                frames = await in_thread(
                    queries.list_frames, self.organization_id, self.last, number, READ_BATCH
                )
            except Exception as error:  # PostgreSQL is away: ask again, the events are not lost
                logger.warning("events could not be read: %s", error)
                await asyncio.sleep(COMPARE_WHILE_AWAY_S)
                continue
            if not frames:
                return
            for frame in frames:
                self.hear(frame)


class Hub:
    """The feeds that somebody in this process listens to. Lives in one event loop."""

    def __init__(self) -> None:
        self.visibility = Visibility()
        self._feeds: dict[int, Feed] = {}
        self._channels: dict[bytes, Feed] = {}
        self._pubsub: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = False

    async def join(self, organization_id: int, listener: Listener) -> int:
        """Start listening. Every event numbered above the returned number will be offered, in order."""
        feed = self._feeds.get(organization_id)
        if feed is None:
            feed = self._feeds[organization_id] = Feed(organization_id, self.visibility)
            self._channels[channel_name(organization_id).encode()] = feed
        feed.users += 1
        try:
            async with feed.starting:
                if feed.last is None:
                    await self._start(feed)
        except BaseException:
            self._release(feed)
            raise
        feed.listeners.add(listener)
        assert feed.last is not None
        return feed.last

    def leave(self, organization_id: int, listener: Listener) -> None:
        """Stop listening. The feed stays for a while, since whoever left often comes back."""
        feed = self._feeds[organization_id]
        feed.listeners.discard(listener)
        asyncio.get_running_loop().call_later(LINGER_S, self._release, feed)

    def _release(self, feed: Feed) -> None:
        feed.users -= 1
        if feed.users:
            return
        feed.close()
        name = channel_name(feed.organization_id)
        del self._feeds[feed.organization_id], self._channels[name.encode()]
        if not self._feeds:
            for task in self._tasks:
                task.cancel()
            self._pubsub, self._listening = None, False
        elif self._pubsub is not None:
            self._later(self._unsubscribe(name))

    async def _start(self, feed: Feed) -> None:
        if not self._listening:
            self._listening = True
            self._later(self._listen())
            self._later(self._compare())
        elif self._pubsub is not None:
            with suppress(redis.RedisError, OSError):
                await self._pubsub.subscribe(channel_name(feed.organization_id))
        with suppress(TimeoutError):
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                await feed.subscribed.wait()
        feed.begin(await in_thread(queries.last_number, feed.organization_id))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _unsubscribe(self, name: str) -> None:
        pubsub = self._pubsub
        if pubsub is not None and name.encode() not in self._channels:
            with suppress(redis.RedisError, OSError):
                await pubsub.unsubscribe(name)

    async def _listen(self) -> None:
        while True:
            client = redis.asyncio.Redis.from_url(
                settings.REDIS_URL, retry=Retry(NoBackoff(), 0), socket_connect_timeout=2.0
            )
            pubsub = client.pubsub()
            try:
                await pubsub.subscribe(*self._channels)
                self._pubsub = pubsub
                if joined_meanwhile := self._channels.keys() - pubsub.channels.keys():
                    await pubsub.subscribe(*joined_meanwhile)
                while True:
                    self._hear(await pubsub.get_message(timeout=None))
            except (redis.RedisError, OSError) as error:
                logger.warning("the event bus is away, events come from PostgreSQL: %s", error)
            finally:
                if self._pubsub is pubsub:
                    self._pubsub = None
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                await client.aclose()
            await asyncio.sleep(COMPARE_WHILE_AWAY_S)

    def _hear(self, message: dict[str, Any] | None) -> None:
        feed = self._channels.get(message["channel"]) if message else None
        if message is None or feed is None:
            return
        if message["type"] == "subscribe":
            feed.subscribed.set()
        elif message["type"] == "message":
            try:
                feed.hear(decode(message["data"]))
            except ValueError:
                logger.warning("a malformed frame on %s", message["channel"])

    async def _compare(self) -> None:
        """Look now and then whether PostgreSQL has more than the bus told."""
        while True:
            await asyncio.sleep(COMPARE_S if self._pubsub is not None else COMPARE_WHILE_AWAY_S)
            try:
                last = await in_thread(queries.last_numbers, list(self._feeds))
            except Exception as error:
                logger.warning("event numbers could not be compared: %s", error)
                continue
            for organization_id, number in last.items():
                if feed := self._feeds.get(organization_id):
                    feed.catch_up(number)


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def current_hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
