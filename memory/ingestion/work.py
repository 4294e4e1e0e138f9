"""One file from the store to memories. Killed anywhere, the next one to claim it goes on from what is committed.

A piece is asked about once: the model's answer is stored first, its memories are saved next, each of them no more than
once since saving knows what it has seen, and then the piece is marked.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from accounts.boundaries import reach
from accounts.database import release_connection
from accounts.errors import NotFound
from accounts.logs import get_logger
from llm.errors import LLMError, NotConfigured, RateLimited
from llm.services.routing import get_routing
from memory.ingestion import claims, store
from memory.ingestion.chunks import split
from memory.ingestion.claims import Held, Lost
from memory.ingestion.extraction import extract, source_name
from memory.ingestion.reader.refusals import Unreadable
from memory.ingestion.reading import read_file
from memory.models import ChunkState, FileState, IngestedChunk, IngestedFile, Memory, Source
from memory.models.ingestion import OPEN_STATES
from memory.services.saving import save_memory
from memory.types import ORGANIZATION, SYSTEM, Provenance, person
from realtime.services import unit_of_work

log = get_logger(__name__)

NEEDS_MODEL = "Needs a model: add one under Settings → Models. It goes on by itself then."
KEEP_FAILED = timedelta(days=7)
MODEL_PAUSE = timedelta(seconds=30)
NO_PDF_TEXT = "The PDF holds no text; its pages may be pictures."
OUR_FAULT = "Something went wrong on our side. It has been logged."


def work_on(file_id: int) -> None:
    """Do what is left of one file, if it is due and nobody else works on it."""
    held = claims.claim(file_id)
    if held is None:
        return
    reach("ingest.claimed")
    try:
        _work(held)
    except (Lost, NotFound):  # Not found is what was removed while a memory of it was being saved.
        log.warning("ingestion_claim_lost", file_id=file_id)
    except Unreadable as error:
        claims.fail(held, str(error))
    except NotConfigured:
        claims.wait(held, NEEDS_MODEL, pause=MODEL_PAUSE)
    except LLMError as error:
        log.warning("ingestion_put_off", file_id=file_id, reason=str(error), vendor=error.vendor_text[:200])
        retry_after_s = error.retry_after_s if isinstance(error, RateLimited) else None
        claims.put_off(held, str(error), retry_after_s=retry_after_s)
    except Exception:
        log.exception("ingestion_failed", file_id=file_id)
        claims.put_off(held, OUR_FAULT)


def _work(held: Held) -> None:
    if not held.file.chunks_total:
        _read(held)
    pieces = IngestedChunk.objects.filter(file_id=held.file.pk).exclude(state=ChunkState.DONE)
    while (piece := pieces.order_by("number").first()) is not None:
        if piece.state == ChunkState.WAITING:
            _ask(held, piece)
        _save(held, piece)
    claims.finish(held)
    reach("ingest.finished")


def _read(held: Held) -> None:
    """Read the file in a child and store its pieces, all at once."""
    file = held.file
    held.write(state=FileState.READING, reason="")
    path = store.path_of(file.organization_id, file.digest)
    if not path.exists():
        raise Unreadable("The file is not kept any more. Give it again.")
    release_connection()
    reading = read_file(path, file.name)
    chunks = split(reading.pages)
    if not chunks:
        raise Unreadable("It holds no text." if file.media_type != "application/pdf" else NO_PDF_TEXT)
    reach("ingest.read")
    with unit_of_work():
        held.write(state=FileState.EXTRACTING, chunks_total=len(chunks), notice=reading.notice)
        IngestedChunk.objects.bulk_create(
            IngestedChunk(
                organization_id=file.organization_id, file=file, number=number, text=chunk.text,
                page_from=chunk.page_from, page_to=chunk.page_to,
                digest=hashlib.sha256(chunk.text.encode()).hexdigest(),
            )
            for number, chunk in enumerate(chunks, start=1)
        )  # fmt: skip
    reach("ingest.split")


def _ask(held: Held, piece: IngestedChunk) -> None:
    """Ask the model about a piece, and store what it says in place of the text."""
    if not get_routing(held.file.organization_id).entries:
        raise NotConfigured(NEEDS_MODEL)
    found = extract(held.file, piece)
    reach("ingest.asked")
    with unit_of_work():
        held.write(reason="")
        piece.state, piece.found, piece.text = ChunkState.ANSWERED, found, ""
        piece.save(update_fields=["state", "found", "text"])
    reach("ingest.answered")


def _save(held: Held, piece: IngestedChunk) -> None:
    """Save the memories of a piece, then mark it; what is nearly known already is left."""
    file = held.file
    name = source_name(file, piece)
    for found in piece.found:
        held.write()  # The file may have been removed meanwhile, and saving takes its time.
        save_memory(
            organization_id=file.organization_id,
            agent_id=file.agent_id,
            type=found["type"],
            content=found["content"],
            importance=found["importance"],
            heard_by=person(file.audience_person_id) if file.audience_person_id else ORGANIZATION,
            provenance=Provenance(source=Source.FILE, source_name=name, trusted=False, file_id=file.pk),
            author=SYSTEM,
        )
        reach("ingest.saved")
    with unit_of_work():
        # What was achieved counts: a long file may be put off more often than three times in all.
        taught = Memory.objects.filter(file=file).count()
        held.write(chunks_done=F("chunks_done") + 1, memories=taught, tries=1)
        IngestedChunk.objects.filter(pk=piece.pk).update(state=ChunkState.DONE, found=[])
    reach("ingest.marked")


def sweep_store() -> int:
    """Remove stored files of a day ago that are neither to be read nor failed lately; return how many."""
    count, lately = 0, timezone.now() - KEEP_FAILED
    wanted = Q(state__in=OPEN_STATES) | Q(state=FileState.FAILED, finished_at__gt=lately)
    for organization_id, digest in store.list_old():
        rows = IngestedFile.objects.filter(organization_id=organization_id, digest=digest, chunks_total=0)
        if not rows.filter(wanted).exists():
            store.discard(organization_id, digest)
            count += 1
    return count
