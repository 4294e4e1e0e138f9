"""What a platform adapter is, and what it hands over.

An adapter has two faces. `listen` holds the connection to the platform; it runs in the gateway. Everything
else is a request made from any process, often a worker thread, by an instance of its own: an adapter keeps no
state that another instance of the same account would need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, NoReturn, Protocol

from messaging.attachments.limits import MAX_BYTES
from messaging.chunking import Unit
from messaging.errors import Unsupported


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the platform can do. `delivered_by_event`: the stored event reaches people, nothing is sent.

    `deduplicates`: the platform drops a second send with the same key, so that a crash between sending and
    recording cannot show a chunk twice.
    """

    text_limit: int
    text_unit: Unit = Unit.CODE_POINTS
    typing: bool = False
    reactions: bool = False
    threads: bool = False
    edits: bool = False
    mentions: bool = False
    deduplicates: bool = False
    files: bool = False
    file_limit_bytes: int = MAX_BYTES
    delivered_by_event: bool = False


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """A platform account as an adapter sees it: plain values and a way to read its secrets."""

    account_id: int
    organization_id: int
    name: str
    settings: dict[str, Any]
    read_secret: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message as it came from a platform. All ids are the platform's own.

    `external_id` is unique in its conversation. `mentions_agent` is also true for a reply to the agent.
    """

    account_id: int
    conversation_id: str
    is_direct: bool
    external_id: str
    sender_id: str
    sender_name: str
    text: str
    conversation_title: str = ""
    mentions_agent: bool = False
    reply_to_external_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a chunk goes: the platform's conversation, and the message it answers, if any."""

    conversation_id: str
    reply_to_external_id: str | None = None


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file to send. `open` returns its content from the beginning, at every attempt anew."""

    name: str
    media_type: str
    size_bytes: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class SentChunk:
    """The platform took it and gave it this id."""

    platform_id: str


Receive = Callable[[InboundMessage], Awaitable[None]]
"""Stores a message; the adapter acknowledges to the platform only after it returned."""


class Adapter(Protocol):
    platform: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    connection_settings: ClassVar[frozenset[str]]

    def __init__(self, config: AccountConfig) -> None: ...

    async def listen(self, receive: Receive, *, on_ready: Callable[[], None]) -> None:
        """Hold the connection until cancelled; raise AdapterFailed when it breaks. Calls `on_ready` once connected."""

    def send_text(self, target: Target, text: str, *, key: str) -> SentChunk:
        """Send one chunk; raise DeliveryError. `key` is the same at every attempt of the same chunk."""

    def send_file(self, target: Target, file: OutboundFile, *, key: str) -> SentChunk:
        """Send one file; raise DeliveryError. `key` as for a chunk."""

    def show_typing(self, target: Target) -> None: ...

    def add_reaction(self, target: Target, message_id: str, emoji: str) -> None: ...

    def edit_text(self, target: Target, message_id: str, text: str) -> None: ...


class BaseAdapter:
    """Refuses everything; a platform overrides what it can do and says so in `capabilities`.

    `connection_settings` names the settings and secrets that need a new connection when they change.
    """

    platform: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    connection_settings: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, config: AccountConfig) -> None:
        self.config = config

    async def listen(self, receive: Receive, *, on_ready: Callable[[], None]) -> None:
        self._refuse("hold a connection")

    def send_text(self, target: Target, text: str, *, key: str) -> SentChunk:
        self._refuse("send messages")

    def send_file(self, target: Target, file: OutboundFile, *, key: str) -> SentChunk:
        self._refuse("send files")

    def show_typing(self, target: Target) -> None:
        self._refuse("show that someone is typing")

    def add_reaction(self, target: Target, message_id: str, emoji: str) -> None:
        self._refuse("add reactions")

    def edit_text(self, target: Target, message_id: str, text: str) -> None:
        self._refuse("edit messages")

    def _refuse(self, operation: str) -> NoReturn:
        raise Unsupported(self.platform, operation)
