"""A platform in memory, with programmable faults, for tests of everything that talks to platforms.

`FakePlatform` is the far side: it keeps what was sent, knows idempotency keys, and hands an incoming message
over again until the adapter has acknowledged it, as real platforms do. `FakeAdapter` is the near side.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from messaging.adapters.base import (
    AccountConfig,
    BaseAdapter,
    Capabilities,
    InboundMessage,
    OutboundFile,
    Receive,
    SentChunk,
    Target,
)
from messaging.errors import AdapterFailed, DeliveryError

_PLATFORMS: dict[str, FakePlatform] = {}


@dataclass(frozen=True, slots=True)
class FakeSent:
    platform_id: str
    target: Target
    text: str
    key: str
    content: bytes | None = None
    """What a file held; its name is the text."""


@dataclass
class FakePlatform:
    """One far side, found by its name from any thread. A fault is raised by the next send or connection."""

    name: str
    token: str = "right"  # noqa: S105
    sent: list[FakeSent] = field(default_factory=list)
    typing: list[Target] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    send_faults: list[Exception] = field(default_factory=list)
    faults_after_sending: list[BaseException] = field(default_factory=list)
    connect_faults: list[Exception] = field(default_factory=list)
    connections: int = 0
    connected_now: int = 0
    _inbox: list[InboundMessage] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        _PLATFORMS[self.name] = self

    @property
    def texts(self) -> list[str]:
        return [sent.text for sent in self.sent]

    def say(self, message: InboundMessage) -> None:
        with self._lock:
            self._inbox.append(message)

    def unacknowledged(self) -> list[InboundMessage]:
        with self._lock:
            return list(self._inbox)

    def acknowledge(self, message: InboundMessage) -> None:
        with self._lock:
            self._inbox.remove(message)

    def take(self, target: Target, text: str, key: str, content: bytes | None = None) -> FakeSent:
        """Accept a chunk or a file; one with a known key is the same chunk again."""
        with self._lock:
            known = next((sent for sent in self.sent if sent.key == key), None)
            if known is None:
                known = FakeSent(f"p{next(self._numbers)}", target, text, key, content)
                self.sent.append(known)
            return known


class FakeAdapter(BaseAdapter):
    platform: ClassVar[str] = "fake"
    capabilities: ClassVar[Capabilities] = Capabilities(
        text_limit=100, typing=True, reactions=True, edits=True, mentions=True, files=True, deduplicates=True
    )
    connection_settings: ClassVar[frozenset[str]] = frozenset({"server", "token", "token_secret"})

    POLL_S: ClassVar[float] = 0.005

    def __init__(self, config: AccountConfig) -> None:
        super().__init__(config)
        self._far_side = _PLATFORMS[config.settings["server"]]

    async def listen(self, receive: Receive, *, on_ready: Callable[[], None]) -> None:
        far_side = self._far_side
        if self._token() != far_side.token:
            raise AdapterFailed("The token was refused.", permanent=True)
        far_side.connections += 1
        if far_side.connect_faults:
            raise far_side.connect_faults.pop(0)
        far_side.connected_now += 1
        try:
            on_ready()
            while True:
                for message in far_side.unacknowledged():
                    await receive(message)
                    far_side.acknowledge(message)
                if far_side.connect_faults:
                    raise far_side.connect_faults.pop(0)
                await asyncio.sleep(self.POLL_S)
        finally:
            far_side.connected_now -= 1

    def send_text(self, target: Target, text: str, *, key: str) -> SentChunk:
        if self._token() != self._far_side.token:
            raise DeliveryError("The token was refused.", permanent=True)
        if self.capabilities.text_unit.measure(text) > self.capabilities.text_limit:
            raise DeliveryError("The text is too long.", permanent=True)
        if not text.strip():
            raise DeliveryError("The text is empty.", permanent=True)
        return self._send(target, text, key)

    def send_file(self, target: Target, file: OutboundFile, *, key: str) -> SentChunk:
        with file.open() as content:
            return self._send(target, file.name, key, content.read())

    def _send(self, target: Target, text: str, key: str, content: bytes | None = None) -> SentChunk:
        if self._far_side.send_faults:
            raise self._far_side.send_faults.pop(0)
        sent = self._far_side.take(target, text, key, content)
        if self._far_side.faults_after_sending:
            raise self._far_side.faults_after_sending.pop(0)
        return SentChunk(sent.platform_id)

    def show_typing(self, target: Target) -> None:
        self._far_side.typing.append(target)

    def add_reaction(self, target: Target, message_id: str, emoji: str) -> None:
        self._far_side.reactions.append((message_id, emoji))

    def edit_text(self, target: Target, message_id: str, text: str) -> None:
        self._far_side.edits.append((message_id, text))

    def _token(self) -> str:
        name = self.config.settings.get("token_secret")
        return self.config.read_secret(name) if name else str(self.config.settings.get("token", "right"))
