"""Which tools a conversation's memory mode takes away."""

from __future__ import annotations

from agents.models import Run
from memory.modes import MODES, MemoryMode, memory_mode

__all__ = ["MODES", "MemoryMode", "forbidden_to_worker", "forbidden_tools", "memory_mode"]

TELLING = frozenset({"memory_recall", "transcript_recall"})
KEEPING = frozenset({"memory_save", "memory_forget", "memory_consolidate"})


def forbidden_tools(mode: MemoryMode) -> frozenset[str]:
    """Return the tools that a mode takes away."""
    if mode == "off":
        return TELLING | KEEPING
    return KEEPING if mode == "ambient" else frozenset()


def forbidden_to_worker(run: Run) -> frozenset[str]:
    """Return what a worker may not hold: recall, unless its agent allows it and its conversation does not refuse.

    A worker reads files and pages that anyone may have written, so it knows nothing it was not told by default.
    """
    conversation = run.conversation
    allowed = run.agent.settings.get("worker_memory") == "recall"
    refused = conversation is None or conversation.settings.get("worker_memory", "recall") != "recall"
    if not allowed or refused:
        return TELLING | KEEPING
    return forbidden_tools(memory_mode(conversation))
