"""Celery jobs. Each may run twice, late, or not at all: rows decide. None asks a chat model anything."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.core.cache import cache

from memory.errors import EmbedderUnavailable
from memory.services import embedding, frequencies, transcripts

log = structlog.get_logger(__name__)

ALONE_S = 120


@shared_task(name="memory.index", ignore_result=True)
def index() -> None:
    """Index what was said, then make the vectors that are lacking. A second one at the same time goes home."""
    if not cache.add("memory.index", 1, timeout=ALONE_S):
        return
    try:
        for conversation_id in transcripts.list_behind():
            transcripts.index_conversation(conversation_id)
        embedding.embed_pending()
    except EmbedderUnavailable as error:
        log.warning("embedding_put_off", reason=str(error))
    finally:
        cache.delete("memory.index")


@shared_task(name="memory.upkeep", ignore_result=True)
def upkeep() -> None:
    frequencies.refresh_frequencies()
