"""What keeps secrets from models and from people: one shield for each agent, made of its mode and all known values.

A shield is made once and kept; whether it is still right is asked once a run, in one statement, or else every few
seconds. The values are those of the whole organization and of the installation itself.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import connection

from secret_store.crypto import binding, unseal, unwrap
from secret_store.errors import KeyUnavailable
from secret_store.master_key import load_master_key
from secret_store.models import Secret
from secret_store.scrubbing.rolling import RollingScrubber, scrub_following
from secret_store.scrubbing.scrubber import Hits, Scrubbed, Scrubber

FRESH_S = 5.0
MOST_KEPT = 512
NOTHING: Scrubber = Scrubber([], patterns=False)


class Mode(StrEnum):
    """How an agent is shielded: known values and patterns, known values alone, or not at all."""

    PATTERNS = "patterns"
    OWN = "own"
    OFF = "off"


@dataclass(frozen=True)
class Shield:
    """Takes secrets out of what an agent reads and says. `blind` says why known values could not be looked for."""

    mode: Mode
    scrubber: Scrubber
    blind: str = ""
    version: object = None
    looked_at: float = field(default=0.0, compare=False)

    def scrub(self, text: str) -> Scrubbed:
        return self.scrubber.scrub(text)

    def scrub_after(self, before: str, text: str) -> Scrubbed:
        """Scrub what is read right after `before`; a secret that goes across is taken out too."""
        return scrub_following(self.scrubber, before, text)

    def scrub_json(self, value: Any, hits: Hits) -> Any:
        return self.scrubber.scrub_json(value, hits)

    def secrets_in(self, content: bytes) -> Mapping[str, int]:
        """Tell what a file that is about to leave holds; one with a hit that is not plain text must stay."""
        return self.scrubber.secrets_in(content)

    def rolling(self, before: str = "") -> RollingScrubber:
        """Return a scrubber for one stream that others read right after `before`."""
        return RollingScrubber(self.scrubber, before)


Version = str
_shields: dict[tuple[int, int | None], Shield] = {}
_scrubbers: dict[tuple[int, bool], tuple[Version, Scrubber, str]] = {}
_known: dict[int, list[tuple[str, str]]] = {}
_for_logs: list[Scrubber] = []
_find_mode: list[Callable[[int], str | None]] = []


def set_mode_directory(find: Callable[[int], str | None]) -> None:
    """Let a higher package say in which mode an agent is."""
    _find_mode[:] = [find]


def forget() -> None:
    """Forget every shield of this process."""
    _shields.clear()
    _scrubbers.clear()
    _known.clear()
    _for_logs.clear()


def scrubber_for_logs() -> Scrubber:
    """Return a scrubber over every value that this process has read so far. No query."""
    if not _for_logs:
        every = [pair for pairs in list(_known.values()) for pair in pairs]
        _for_logs[:] = [Scrubber([*_installation_values(), *every])]
    return _for_logs[0]


def shield_for(organization_id: int, agent_id: int | None) -> Shield:
    """Return the agent's shield, or the organization's strictest without an agent; looks again after a few seconds."""
    found = _shields.get((organization_id, agent_id))
    if found is not None and time.monotonic() - found.looked_at < FRESH_S:
        return found
    mode = _find_mode[0](agent_id) if agent_id is not None and _find_mode else None
    return look(organization_id, agent_id, mode=mode)


def look(organization_id: int, agent_id: int | None, *, mode: str | None, version: Version = "") -> Shield:
    """Return the agent's shield as it is right now, by one statement, or by none with the `version` just read."""
    chosen = Mode(mode) if mode in set(Mode) else Mode.PATTERNS
    version = version or _version(organization_id)
    if chosen == Mode.OFF:
        shield = Shield(chosen, NOTHING, version=version, looked_at=time.monotonic())
    else:
        scrubber, blind = _scrubber(organization_id, version, patterns=chosen == Mode.PATTERNS)
        shield = Shield(chosen, scrubber, blind, version, time.monotonic())
    if len(_shields) >= MOST_KEPT:
        _shields.clear()
    _shields[organization_id, agent_id] = shield
    return shield


VERSION = """
SELECT count(*) || ' ' || coalesce(max(updated_at)::text, '')
       || ' ' || EXISTS (SELECT 1 FROM secrets_vault WHERE locked_at IS NOT NULL)
FROM secrets_secret WHERE organization_id = """
"""What changes whenever a value could, as text; the organization is to follow, as a parameter or a column."""


def _version(organization_id: int) -> Version:
    with connection.cursor() as cursor:
        cursor.execute(VERSION + "%s", [organization_id])
        row: tuple[Version] = cursor.fetchone()
    return row[0]


def _scrubber(organization_id: int, version: Version, *, patterns: bool) -> tuple[Scrubber, str]:
    kept = _scrubbers.get((organization_id, patterns))
    if kept is not None and kept[0] == version:
        return kept[1], kept[2]
    known = list(_installation_values())
    blind = ""
    try:
        read = list(_values(organization_id))
        known += read
        if _known.get(organization_id) != read:
            _known[organization_id] = read
            _for_logs.clear()
    except KeyUnavailable as error:
        # What is known by its shape is still found when the values themselves cannot be read.
        blind, patterns_now = str(error), True
    else:
        patterns_now = patterns
    scrubber = Scrubber(known, patterns=patterns_now)
    if not blind:
        if len(_scrubbers) >= MOST_KEPT:
            _scrubbers.clear()
        _scrubbers[organization_id, patterns] = (version, scrubber, blind)
    return scrubber, blind


def _values(organization_id: int) -> Iterator[tuple[str, str]]:
    keys: dict[int, bytes] = {}
    for secret in Secret.objects.filter(organization_id=organization_id).select_related("data_key"):
        if secret.data_key_id not in keys:
            keys[secret.data_key_id] = unwrap(secret.data_key)
        bound_to = binding(organization_id, secret.agent_id, secret.name)
        yield (
            secret.name,
            unseal(keys[secret.data_key_id], bytes(secret.nonce), bytes(secret.ciphertext), bound_to),
        )


def _installation_values() -> Iterator[tuple[str, str]]:
    """What this installation itself must keep: its signing key and its services' passwords."""
    yield "SPACEBOT_SECRET_KEY", str(settings.SECRET_KEY)
    with suppress(KeyUnavailable):
        master = load_master_key(create=False).key
        yield "SPACEBOT_MASTER_KEY", base64.b64encode(master).decode()
        yield "SPACEBOT_MASTER_KEY", master.hex()
    for database in settings.DATABASES.values():
        if password := str(database.get("PASSWORD") or ""):
            yield "DATABASE_PASSWORD", password
    if password := unquote(urlsplit(str(getattr(settings, "REDIS_URL", ""))).password or ""):
        yield "REDIS_PASSWORD", password
