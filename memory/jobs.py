"""Celery jobs. Each may run twice, late, or not at all: rows decide. Only ingestion asks a chat model anything."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache

from accounts.logs import get_logger
from memory.errors import EmbedderUnavailable
from memory.ingestion import claims, folders, work
from memory.services import embedding, frequencies, transcripts

log = get_logger(__name__)

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
    work.sweep_store()


@shared_task(name="memory.ingest", ignore_result=True)
def ingest() -> None:
    """Take what was dropped, and start on files that are due."""
    folders.take_dropped()
    for file_id in claims.list_due():
        ingest_file.delay(file_id)


@shared_task(name="memory.ingest_file", ignore_result=True)
def ingest_file(file_id: int) -> None:
    work.work_on(file_id)
