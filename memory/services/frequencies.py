"""In how many texts frequent words stand. Counted again when a shelf has grown by a tenth; rare words are counted live."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from memory.models import Shelf

MINIMUM = 1_000
"""Below so many texts, counting everything live is quicker than keeping figures."""
COMMON = 200
GROWTH = 1.1
MESSAGES = 0
"""The shelf of an organization's messages, where a memory shelf has its agent's id."""

SIZES = """
SELECT organization_id, agent_id, count(*) FROM memory_memory
WHERE forgotten_at IS NULL AND superseded_at IS NULL GROUP BY 1, 2 HAVING count(*) >= %s
UNION ALL
SELECT organization_id, 0, count(*) FROM memory_indexedmessage GROUP BY 1 HAVING count(*) >= %s
"""

COUNT_MEMORIES = """
INSERT INTO memory_commonterm (shelf_id, term, documents)
SELECT %s, term, count(*) FROM memory_posting WHERE organization_id = %s AND agent_id = %s
GROUP BY term HAVING count(*) >= %s
"""
COUNT_MESSAGES = """
INSERT INTO memory_commonterm (shelf_id, term, documents)
SELECT %s, term, count(*) FROM memory_messageposting WHERE organization_id = %s AND %s = 0
GROUP BY term HAVING count(*) >= %s
"""


def refresh_frequencies(*, force: bool = False) -> int:
    """Count again on every shelf that grew or shrank by a tenth; return on how many."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [MINIMUM, MINIMUM])
        sizes: list[tuple[int, int, int]] = cursor.fetchall()
    known = {(s.organization_id, s.agent_id): s.documents for s in Shelf.objects.all()}
    refreshed = 0
    for organization_id, agent_id, documents in sizes:
        before = known.get((organization_id, agent_id), 0)
        if force or not before / GROWTH < documents < before * GROWTH:
            _refresh(organization_id, agent_id, documents)
            refreshed += 1
    return refreshed


@transaction.atomic
def _refresh(organization_id: int, agent_id: int, documents: int) -> None:
    shelf, _ = Shelf.objects.update_or_create(
        organization_id=organization_id,
        agent_id=agent_id,
        defaults={"documents": documents, "refreshed_at": timezone.now()},
    )
    shelf.common_terms.all().delete()
    with connection.cursor() as cursor:
        statement = COUNT_MESSAGES if agent_id == MESSAGES else COUNT_MEMORIES
        cursor.execute(statement, [shelf.pk, organization_id, agent_id, COMMON])
