"""The store of accepted files: `SPACEBOT_HOME/ingest/.accepted/<organization>/<sha256>`, kept until they are read."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from django.conf import settings

MAX_BYTES = 20 * 1024 * 1024
STEP = 1 << 16
ORPHAN_AFTER_S = 24 * 3_600


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class TooLarge(Exception):
    """More than `MAX_BYTES`; nothing was kept."""


@dataclass(frozen=True)
class Stored:
    digest: str
    size_bytes: int


def folder() -> Path:
    """Return where files for agents are dropped; it need not exist."""
    return Path(settings.SPACEBOT_HOME) / "ingest"


def path_of(organization_id: int, digest: str) -> Path:
    return folder() / ".accepted" / str(organization_id) / digest


def keep(organization_id: int, stream: Stream) -> Stored:
    """Write what the stream holds into the store, whole or not at all. Raises TooLarge."""
    place = path_of(organization_id, "x").parent
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with NamedTemporaryFile(dir=place, prefix=".new-", delete=False) as file:
        try:
            while piece := stream.read(STEP):
                size += len(piece)
                if size > MAX_BYTES:
                    raise TooLarge
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, place / digest.hexdigest())
        except BaseException:
            os.unlink(file.name)
            raise
    return Stored(digest.hexdigest(), size)


def discard(organization_id: int, digest: str) -> None:
    """Remove a file; that it is gone already is fine."""
    path_of(organization_id, digest).unlink(missing_ok=True)


def list_old() -> list[tuple[int, str]]:
    """Return organization and digest of everything that has lain in the store for a day or more."""
    before = time.time() - ORPHAN_AFTER_S
    found = []
    for path in (folder() / ".accepted").glob("*/*"):
        with suppress(FileNotFoundError):
            if path.parent.name.isdigit() and path.stat().st_mtime < before:
                found.append((int(path.parent.name), path.name))
    return found
