"""Recall: what an agent knows and what was said, limited to what every listener may hear."""

from __future__ import annotations

from memory.recall.memories import Mode, Recalled, recall

__all__ = ["Mode", "Recalled", "recall"]
