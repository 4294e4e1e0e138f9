"""Taking memories out of recall and bringing them back; their rows stay."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import Conflict
from memory.models import Memory, MemoryEdit
from memory.services.postings import index_memories
from memory.types import Author


def supersede(memory: Memory) -> None:
    """Retire a memory in favour of one that is about to be stored. Joins the caller's transaction."""
    memory.superseded_at = timezone.now()
    memory.save(update_fields=["superseded_at"])
    drop_postings([memory.pk])


def drop_postings(memory_ids: Iterable[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM memory_posting WHERE memory_id = ANY (%s)", [list(memory_ids)])


def revive(memory: Memory) -> None:
    """Make a forgotten or superseded memory live again; raises Conflict if another says the same by now."""
    memory.forgotten_at = memory.superseded_at = memory.superseded_by = None
    try:
        with transaction.atomic():
            memory.save(update_fields=["forgotten_at", "superseded_at", "superseded_by"])
    except IntegrityError as error:
        raise Conflict("Another memory says the same by now.") from error
    index_memories([memory.pk])


def forget_all(memories: QuerySet[Memory], author: Author, *, reason: str = "") -> int:
    """Forget all of them at once and return how many; each can be restored. Joins the caller's transaction."""
    rows = memories.select_for_update(no_key=True, of=("self",)).order_by("pk")
    known = dict(rows.values_list("pk", "organization_id"))
    MemoryEdit.objects.bulk_create(
        (
            MemoryEdit(
                organization_id=organization_id, memory_id=pk, action="forgotten", before={}, user=author.user,
                run_id=author.run_id, reason=reason[:300],
            )
            for pk, organization_id in known.items()
        ),
        batch_size=1_000,
    )  # fmt: skip
    Memory.objects.filter(pk__in=known).update(forgotten_at=timezone.now())
    drop_postings(known)
    return len(known)


def keep_before(memory: Memory, action: str, author: Author, *fields: str, reason: str = "") -> MemoryEdit:
    """Write down what the fields hold now, before they change, and who changes them."""
    return MemoryEdit.objects.create(
        organization_id=memory.organization_id,
        memory=memory,
        action=action,
        before={field: getattr(memory, field) for field in fields},
        user=author.user,
        run_id=author.run_id,
        reason=reason[:300],
    )
