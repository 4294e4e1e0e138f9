"""Tables: the graph, its changes, and the indexes that find it."""

from __future__ import annotations

from memory.models.changes import Consolidation, InboxItem, InboxKind, MemoryEdit
from memory.models.graph import (
    DIMENSIONS,
    EVERYONE,
    Association,
    Audience,
    Memory,
    MemoryType,
    Relation,
    Source,
)
from memory.models.index import (
    CommonTerm,
    IndexedMessage,
    MessagePosting,
    Posting,
    Section,
    SectionPosting,
    Shelf,
    TranscriptState,
)
from memory.models.ingestion import ChunkState, FileState, IngestedChunk, IngestedFile

__all__ = [
    "DIMENSIONS", "EVERYONE", "Association", "Audience", "ChunkState", "CommonTerm", "Consolidation", "FileState",
    "InboxItem", "InboxKind", "IndexedMessage", "IngestedChunk", "IngestedFile", "Memory", "MemoryEdit", "MemoryType",
    "MessagePosting", "Posting", "Relation", "Section", "SectionPosting", "Shelf", "Source", "TranscriptState",
]  # fmt: skip
