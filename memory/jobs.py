"""Celery jobs. Each may run twice, late, or not at all: rows decide. None asks a chat model anything."""

from __future__ import annotations

import structlog
from celery import shared_task

from memory.errors import EmbedderUnavailable
from memory.services import embedding, frequencies, transcripts

log = structlog.get_logger(__name__)


@shared_task(name="memory.index", ignore_result=True)
def index() -> None:
    """Index what was said, then make the vectors that are lacking."""
    for conversation_id in transcripts.list_behind():
        transcripts.index_conversation(conversation_id)
    try:
        embedding.embed_pending()
    except EmbedderUnavailable as error:
        log.warning("embedding_put_off", reason=str(error))


@shared_task(name="memory.upkeep", ignore_result=True)
def upkeep() -> None:
    frequencies.refresh_frequencies()
