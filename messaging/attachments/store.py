"""Where the bytes lie: `SPACEBOT_HOME/attachments/<organization>/<conversation>/<place>`, under names that nobody chose."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from messaging.adapters.base import OutboundFile
from messaging.attachments.limits import MAX_BYTES
from messaging.errors import DeliveryError
from messaging.media import SNIFFED, media_type_of
from messaging.models import Attachment

STEP = 1 << 16


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class TooLarge(Exception):
    """More than `MAX_BYTES`; nothing was kept."""


@dataclass(frozen=True)
class Kept:
    place: str
    size_bytes: int
    media_type: str
    digest: str


def folder() -> Path:
    return Path(settings.SPACEBOT_HOME) / "attachments"


def path_of(organization_id: int, conversation_id: int, place: str) -> Path:
    return folder() / str(organization_id) / str(conversation_id) / place


def keep(organization_id: int, conversation_id: int, stream: Stream) -> Kept:
    """Write what the stream holds into the store, whole or not at all. Raises TooLarge."""
    place = secrets.token_hex(16)
    path = path_of(organization_id, conversation_id, place)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size, head = hashlib.sha256(), 0, b""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            while piece := stream.read(STEP):
                size += len(piece)
                if size > MAX_BYTES:
                    raise TooLarge
                head = head if len(head) >= SNIFFED else head + piece[:SNIFFED]
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Kept(place, size, media_type_of(head), digest.hexdigest())


def open_attachment(attachment: Attachment) -> BinaryIO:
    """Open its content. Raises FileNotFoundError where it was lost."""
    path = path_of(attachment.organization_id, attachment.conversation_id, attachment.place)
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def outbound_file(attachment: Attachment) -> OutboundFile:
    """Return it as adapters take it."""
    return OutboundFile(
        attachment.name, attachment.media_type, attachment.size_bytes, partial(_open_to_send, attachment)
    )


def _open_to_send(attachment: Attachment) -> BinaryIO:
    try:
        return open_attachment(attachment)
    except FileNotFoundError:
        raise DeliveryError("The file is not stored any more.", permanent=True) from None


def discard(organization_id: int, conversation_id: int, place: str) -> None:
    """Remove a file; that it is gone already is fine."""
    path_of(organization_id, conversation_id, place).unlink(missing_ok=True)


def list_old(older_than_s: float) -> Iterator[tuple[int, int, str]]:
    """Yield organization, conversation and place of what has lain in the store for so long."""
    before = time.time() - older_than_s
    for path in folder().glob("*/*/*"):
        owners = (path.parent.parent.name, path.parent.name)
        with suppress(FileNotFoundError):
            if all(each.isdigit() for each in owners) and path.stat().st_mtime < before:
                yield int(owners[0]), int(owners[1]), path.name
