"""Vectors made in the background: what has none yet, and everything after the embedder was changed.

Recall goes on meanwhile: a row whose vector is of another embedder is found by its words and edges.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.database import release_connection
from memory.embedders import Embedder, current_embedder
from memory.models import IndexedMessage, Memory
from memory.services.saving import vector_text

BATCH = 64
SETTLED = timedelta(minutes=1)
"""Messages get their vectors when the talk has moved on, so that this never competes with answering them."""


@dataclass(frozen=True)
class Progress:
    """How many rows have a vector of the present embedder."""

    embedder: str
    memories: int
    memories_done: int
    messages: int
    messages_done: int

    @property
    def share(self) -> float:
        total = self.memories + self.messages
        return (self.memories_done + self.messages_done) / total if total else 1.0


def get_progress(organization_id: int) -> Progress:
    """Count one organization's vectors."""
    name = current_embedder().name
    memories = Memory.objects.filter(organization_id=organization_id, forgotten_at=None, superseded_at=None)
    messages = IndexedMessage.objects.filter(organization_id=organization_id)
    return Progress(
        embedder=name,
        memories=memories.count(),
        memories_done=memories.filter(embedder=name).count(),
        messages=messages.count(),
        messages_done=messages.filter(embedder=name).count(),
    )


def embed_pending(*, seconds: float = 20.0) -> int:
    """Embed what lacks a vector, memories first, for about so long; return how many rows were done.

    Raises EmbedderUnavailable. Two at once do some work twice, and no harm.
    """
    embedder, until, done = current_embedder(), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        count = _embed_memories(embedder) or _embed_messages(embedder)
        if not count:
            break
        done += count
    return done


def _lacking(name: str) -> Q:
    # Two ranges, which an index can walk, where one inequality could not.
    return Q(embedder__lt=name) | Q(embedder__gt=name)


def _embed_memories(embedder: Embedder) -> int:
    lacking: QuerySet[Memory] = Memory.objects.filter(
        _lacking(embedder.name), forgotten_at=None, superseded_at=None
    )
    rows = list(lacking.order_by("pk").values_list("pk", "content", "digest")[:BATCH])
    if not rows:
        return 0
    release_connection()
    vectors = embedder.embed([content for _, content, _ in rows])
    _store(
        "UPDATE memory_memory AS m SET embedding = n.vector::vector, embedder = %s"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n(id, digest, vector)"
        " WHERE m.id = n.id AND m.digest = n.digest",
        [
            embedder.name,
            [pk for pk, _, _ in rows],
            [digest for _, _, digest in rows],
            [vector_text(vector) for vector in vectors],
        ],
    )
    return len(rows)


def _embed_messages(embedder: Embedder) -> int:
    settled = timezone.now() - SETTLED
    lacking = IndexedMessage.objects.filter(_lacking(embedder.name), said_at__lt=settled).order_by(
        "message_id"
    )
    rows = list(lacking.values_list("message_id", "message__author_name", "message__text")[:BATCH])
    if not rows:
        return 0
    release_connection()
    vectors = embedder.embed([f"{author}: {text}" for _, author, text in rows])
    _store(
        "UPDATE memory_indexedmessage AS m SET embedding = n.vector::vector, embedder = %s"
        " FROM unnest(%s::bigint[], %s::text[]) AS n(id, vector) WHERE m.message_id = n.id",
        [embedder.name, [pk for pk, _, _ in rows], [vector_text(vector) for vector in vectors]],
    )
    return len(rows)


def _store(statement: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
