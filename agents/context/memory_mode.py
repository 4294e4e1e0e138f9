"""How far a conversation is remembered: full (told and kept), ambient (told, not kept), off (neither, anywhere)."""

from __future__ import annotations

from typing import Literal

from messaging.models import Conversation

MemoryMode = Literal["full", "ambient", "off"]

MODES: dict[str, MemoryMode] = {"full": "full", "ambient": "ambient", "off": "off"}


def memory_mode(conversation: Conversation | None) -> MemoryMode:
    wanted = conversation.settings.get("memory", "full") if conversation else "off"
    return MODES.get(wanted, "off")


def forbidden_tools(mode: MemoryMode) -> frozenset[str]:
    """Return the tools that a mode takes away."""
    if mode == "off":
        return frozenset({"memory_recall", "memory_save"})
    return frozenset({"memory_save"}) if mode == "ambient" else frozenset()
