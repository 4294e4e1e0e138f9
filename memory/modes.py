"""How far a conversation is remembered: full (told and kept), ambient (told, not kept), off (neither, anywhere).

Of a conversation that is off, nothing is indexed, and what was indexed before is not found. Its own history stays.
"""

from __future__ import annotations

from typing import Literal

from messaging.models import Conversation

MemoryMode = Literal["full", "ambient", "off"]

MODES: dict[str, MemoryMode] = {"full": "full", "ambient": "ambient", "off": "off"}


def memory_mode(conversation: Conversation | None) -> MemoryMode:
    """Return the mode; no conversation, or a word that is not known, is off."""
    wanted = conversation.settings.get("memory", "full") if conversation else "off"
    return MODES.get(wanted, "off")
