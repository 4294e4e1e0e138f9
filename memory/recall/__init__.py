"""Recall: what an agent knows and what was said, limited to what every listener may hear."""

from __future__ import annotations

from memory.recall.memories import Mode, Recalled, recall
from memory.recall.transcripts import Said, recall_transcript

__all__ = ["Mode", "Recalled", "Said", "recall", "recall_transcript"]
