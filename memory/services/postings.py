"""The word index of memories. A posting holds the part of BM25 that depends on one text alone.

The usual length of a text is a constant here: an average that moved would make every stored weight stale, and all
that it moves is how strongly length counts.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

K1, B = 1.2, 0.75
USUAL_WORDS = 24

INSERT = """
INSERT INTO memory_posting (memory_id, term, organization_id, agent_id, reach, weight)
SELECT m.id, w.term, m.organization_id, m.agent_id, m.reach,
       w.times * (%(k1)s + 1) / (w.times + %(k1)s * (1 - %(b)s + %(b)s * w.words / %(usual)s))
FROM memory_memory AS m CROSS JOIN LATERAL (
    SELECT left(u.lexeme, 64) AS term, sum(coalesce(cardinality(u.positions), 1))::float8 AS times,
           sum(sum(coalesce(cardinality(u.positions), 1))) OVER ()::float8 AS words
    FROM unnest(m.words) AS u GROUP BY 1
) AS w
WHERE m.id = ANY (%(ids)s) AND m.forgotten_at IS NULL AND m.superseded_at IS NULL
"""


def index_memories(memory_ids: Collection[int], *, fresh: bool = False) -> None:
    """Bring the postings of these memories in line with their rows; `fresh` says that there are none yet.

    Only live memories have postings. Joins the caller's transaction.
    """
    ids = list(memory_ids)
    with connection.cursor() as cursor:
        if not fresh:
            cursor.execute("DELETE FROM memory_posting WHERE memory_id = ANY (%s)", [ids])
        cursor.execute(INSERT, {"ids": ids, "k1": K1, "b": B, "usual": float(USUAL_WORDS)})
