"""Recall over the graph: one statement in which vector, words and edges are limited, ranked and fused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection
from django.utils import timezone

from accounts.errors import InvalidInput
from memory.embedders import Vector, current_embedder
from memory.errors import EmbedderUnavailable
from memory.listeners import Listeners
from memory.models import EVERYONE, MemoryType
from memory.recall.legs import RARITY, TIME_WORDS
from memory.recall.questions import read_question
from memory.services.saving import vector_text

Mode = Literal["hybrid", "recent", "important", "typed"]
MAX_LIMIT = 50
MAX_QUERY = 4_000


@dataclass(frozen=True)
class Weights:
    """What each leg counts for, after it was brought to 0…1; found by measuring, see docs/memory.md."""

    text: float = 1.0
    vector: float = 0.8
    graph: float = 0.25
    person: float = 0.15
    time: float = 0.25
    when: float = 0.08
    importance: float = 0.06
    recency: float = 0.04


WEIGHTS = Weights()


@dataclass(frozen=True)
class Recalled:
    """A memory that was found; `score` ranks within one answer, the legs say why."""

    id: int
    type: str
    content: str
    score: float
    importance: float
    audience: str
    source: str
    trusted: bool
    pinned: bool
    person_id: int | None
    about_id: int | None
    conversation_id: int | None
    message_id: int | None
    valid_from: datetime
    text_score: float = 0.0
    likeness: float = 0.0
    graph_score: float = 0.0


def recall(
    query: str,
    *,
    organization_id: int,
    agent_id: int,
    listeners: Listeners,
    limit: int = 10,
    mode: Mode = "hybrid",
    types: Collection[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    person_id: int | None = None,
    conversation_id: int | None = None,
    vector: Vector | None = None,
    weights: Weights = WEIGHTS,
) -> list[Recalled]:
    """Return what every listener may hear, best first.

    `recent` and `important` order what matches the filters and need no query; `typed` needs `types`. `person_id`
    keeps what that person said or what is about them, `conversation_id` what was learned there; the time range is
    about since when something holds. The query is embedded unless `vector` is given; without an embedder words and
    edges do. Nothing is written: say what was used with `memory.services.upkeep.mark_used`.
    """
    unknown = set(types) - set(MemoryType.values)
    if unknown or (mode == "typed" and not types):
        raise InvalidInput("Name one or more known memory types.", field="types")
    query = query.replace("\x00", " ").strip()[:MAX_QUERY]
    searches = mode == "hybrid" and bool(query)
    if searches and weights.vector and vector is None:
        vector = _embed(query)
    elif not weights.vector:
        vector = None
    filters = {
        "types": sorted(types) or None,
        "since": since,
        "until": until,
        "person": person_id,
        "conversation": conversation_id,
    }
    parameters: dict[str, Any] = {
        "organization": organization_id,
        "agent": agent_id,
        "people": sorted(listeners.person_ids),
        "room": listeners.conversation_id,
        "everyone": listeners.everyone,
        "limit": max(1, min(limit, MAX_LIMIT)),
        **filters,
    }
    if searches:
        parameters |= {"shelf": agent_id, **_asked(query, vector, weights)}
        statement = _hybrid(filtered=any(filters.values()), with_vector=vector is not None)
    else:
        statement = LISTED[mode if mode != "hybrid" else "important"]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [Recalled(*row) for row in cursor.fetchall()]


def _embed(query: str) -> Vector | None:
    try:
        return current_embedder().embed([query])[0]
    except EmbedderUnavailable:
        return None


def _asked(query: str, vector: Vector | None, weights: Weights) -> dict[str, Any]:
    """Return what the hybrid statement wants to know of the question."""
    question = read_question(query, now=timezone.now())
    return {
        "query": query,
        "words": question.words,
        "asks_when": question.asks_when,
        "time_words": TIME_WORDS,
        "asked_since": question.since,
        "asked_until": question.until,
        "vector": vector_text(vector) if vector is not None else None,
        "embedder": current_embedder().name,
        **{f"w_{name}": value for name, value in vars(weights).items()},
    }


ALLOWED = f"""allowed AS MATERIALIZED (SELECT CASE WHEN %(everyone)s THEN ARRAY[{EVERYONE}]::bigint[]
    ELSE memory_audible(%(organization)s, %(people)s::bigint[], %(room)s) END AS reaches)"""

FILTERS = """m.organization_id = %(organization)s AND m.agent_id = %(agent)s
    AND m.reach = ANY ((SELECT reaches FROM allowed)::bigint[])
    AND m.forgotten_at IS NULL AND m.superseded_at IS NULL
    AND (%(types)s::text[] IS NULL OR m.type = ANY (%(types)s::text[]))
    AND (%(since)s::timestamptz IS NULL OR m.valid_from >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR m.valid_from < %(until)s)
    AND (%(person)s::bigint IS NULL OR m.person_id = %(person)s OR m.about_id = %(person)s)
    AND (%(conversation)s::bigint IS NULL OR m.conversation_id = %(conversation)s)"""

EDGES = "(SELECT count(*) FROM memory_association AS e WHERE e.source_id = m.id OR e.target_id = m.id)::int"
IMPORTANCE = f"""memory_importance(m.importance, m.type, m.pinned,
    extract(epoch FROM now() - m.valid_from)::float8 / 86400,
    extract(epoch FROM now() - coalesce(m.accessed_at, m.valid_from))::float8 / 86400, m.access_count,
    {EDGES})"""

COLUMNS = """m.audience, m.source, m.trusted, m.pinned, m.person_id, m.about_id, m.conversation_id, m.message_id,
    m.valid_from"""

# What edges add is at most 0.1, so they are counted only for rows that can come out on top.
_LIGHT = IMPORTANCE.replace(EDGES, "0")
_NEWEST = f"SELECT m.* FROM memory_memory AS m WHERE {FILTERS} ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s"  # noqa: S608
_HEAVIEST = f"SELECT m.* FROM memory_memory AS m WHERE {FILTERS} ORDER BY {_LIGHT} DESC, m.id DESC LIMIT 4 * %(limit)s"  # noqa: S608
_LIST = f"WITH {ALLOWED} SELECT m.id, m.type, m.content, {IMPORTANCE} AS counts, {IMPORTANCE}, {COLUMNS} FROM"
LISTED = {
    "recent": f"{_LIST} ({_NEWEST}) AS m ORDER BY m.created_at DESC, m.id DESC",
    "important": f"{_LIST} ({_HEAVIEST}) AS m ORDER BY counts DESC, m.id DESC LIMIT %(limit)s",
}
LISTED["typed"] = LISTED["important"]

COUNT_ALL = (
    "SELECT count(*) FROM memory_memory WHERE organization_id = %(organization)s AND agent_id = %(agent)s"
    " AND forgotten_at IS NULL AND superseded_at IS NULL"
)
COUNT_TERM = (
    "SELECT count(*) FROM memory_posting AS p WHERE p.organization_id = %(organization)s AND p.agent_id = %(agent)s"
    " AND p.term = asked.term"
)

NEAR = """SELECT id, likeness FROM memory_nearest(%(organization)s, %(agent)s, (SELECT reaches FROM allowed),
    %(embedder)s, %(vector)s::vector, 60, %(types)s::text[], %(since)s, %(until)s, %(person)s, %(conversation)s, 300)"""
NO_VECTOR = "SELECT NULL::bigint AS id, 0::float8 AS likeness WHERE false"

# Each leg is limited before it is ranked. Frequent words find nothing by themselves where rarer ones do (see RARITY):
# they are looked up for the candidates alone. A candidate found by one leg is then looked up in the others, so that no
# score is missing merely because the other leg's list was short. (OFFSET 0 makes it a look-up by key: the planner cannot
# know how few candidates there are.) The words' weight sinks when the best text covers
# little of the question, the vector's when nothing is really near: a leg that knows nothing stays out of the way.
COMMON = """coalesce((SELECT sum(p.weight * r.weight) FROM rarity AS r JOIN memory_posting AS p ON p.memory_id = m.id
    AND p.term = r.term WHERE NOT r.leads), 0)::float8"""
HYBRID = f"""
WITH {ALLOWED}, {{rarity}},
spoken AS MATERIALIZED (
    SELECT p.memory_id AS id, sum(p.weight * r.weight)::float8 AS score
    FROM rarity AS r JOIN memory_posting AS p
      ON p.organization_id = %(organization)s AND p.agent_id = %(agent)s AND p.term = r.term
    {{join}}
    WHERE r.leads AND p.reach = ANY ((SELECT reaches FROM allowed)::bigint[]) {{where}}
    GROUP BY p.memory_id
), near AS MATERIALIZED ({{near}}
), found AS MATERIALIZED (
    SELECT id, max(score) AS score FROM (
        (SELECT id, score FROM spoken ORDER BY score DESC, id DESC LIMIT 100)
        UNION ALL SELECT id, score FROM spoken WHERE id IN (SELECT id FROM near)
        UNION ALL SELECT id, 0 FROM near) AS each_leg
    GROUP BY id
), weighed AS MATERIALIZED (
    SELECT m.id, f.score + {COMMON} AS text_score, {{likeness}} AS likeness
    FROM found AS f CROSS JOIN LATERAL (
        SELECT m.id, m.embedder, m.embedding FROM memory_memory AS m WHERE m.id = f.id AND {FILTERS} OFFSET 0) AS m
), bounds AS MATERIALIZED (
    SELECT greatest(max(text_score), 1e-9) AS best, max(likeness) AS nearest FROM weighed
), scored AS MATERIALIZED (
    SELECT w.*, %(w_text)s * w.text_score / b.best
           + %(w_vector)s * greatest(0, w.likeness) / greatest(b.nearest, 0.35) AS base
    FROM weighed AS w, bounds AS b
), seeds AS (
    SELECT id, base FROM scored ORDER BY base DESC, id DESC LIMIT 8
), tied AS MATERIALIZED (
    SELECT id, max(share) AS share FROM (
        SELECT CASE WHEN e.source_id = seeds.id THEN e.target_id ELSE e.source_id END AS id,
               seeds.base * e.weight * CASE e.relation WHEN 'updates' THEN 1.0 WHEN 'caused_by' THEN 0.9
                   WHEN 'result_of' THEN 0.9 WHEN 'contradicts' THEN 0.9 WHEN 'related_to' THEN 0.7 ELSE 0.6 END AS share
        FROM seeds JOIN memory_association AS e ON e.source_id = seeds.id OR e.target_id = seeds.id
        WHERE e.organization_id = %(organization)s
    ) AS edges GROUP BY id
), neighbours AS MATERIALIZED (
    SELECT tied.id, coalesce(s.score, 0) AS score FROM tied LEFT JOIN spoken AS s ON s.id = tied.id
    WHERE NOT EXISTS (SELECT 1 FROM scored WHERE scored.id = tied.id)
), candidates AS (
    SELECT id, text_score, likeness, base FROM scored
    UNION ALL
    SELECT id, text_score, 0, %(w_text)s * text_score / b.best
    FROM (
        SELECT m.id, n.score + {COMMON} AS text_score FROM neighbours AS n CROSS JOIN LATERAL (
            SELECT m.id FROM memory_memory AS m WHERE m.id = n.id AND {FILTERS} OFFSET 0) AS m
    ) AS beside, bounds AS b
), ranked AS (
    SELECT c.*, coalesce(tied.share, 0) AS graph_score, {IMPORTANCE} AS counts,
           c.base + %(w_graph)s * coalesce(tied.share, 0)
           + %(w_person)s * (SELECT count(*) FROM accounts_person AS a WHERE a.id IN (m.person_id, m.about_id)
                AND split_part(lower(a.display_name), ' ', 1) = ANY (%(words)s::text[]))
           + %(w_time)s * (m.valid_from >= %(asked_since)s AND m.valid_from < %(asked_until)s
                AND %(asked_since)s::timestamptz IS NOT NULL)::int
           + %(w_when)s * (%(asks_when)s AND m.content ~* %(time_words)s)::int AS relevance
    FROM candidates AS c JOIN memory_memory AS m ON m.id = c.id LEFT JOIN tied ON tied.id = c.id
)
SELECT m.id, m.type, m.content,
       r.relevance * (1 + %(w_importance)s * r.counts + %(w_recency)s * power(2.0,
           -greatest(0, extract(epoch FROM now() - m.valid_from)::float8) / (86400 * 90))) AS score,
       r.counts, {COLUMNS}, r.text_score, r.likeness, r.graph_score
FROM ranked AS r JOIN memory_memory AS m ON m.id = r.id
ORDER BY score DESC, m.id DESC LIMIT %(limit)s
"""  # noqa: S608


def _hybrid(*, filtered: bool, with_vector: bool) -> str:
    likeness = (
        "(CASE WHEN m.embedder = %(embedder)s THEN 1 - (m.embedding <=> %(vector)s::vector) ELSE 0 END)"
        if with_vector
        else "0::float8"
    )
    return HYBRID.format(
        rarity=RARITY.format(count_all=COUNT_ALL, count_term=COUNT_TERM),
        near=NEAR if with_vector else NO_VECTOR,
        likeness=likeness,
        join="JOIN memory_memory AS m ON m.id = p.memory_id" if filtered else "",
        where=f"AND {FILTERS}" if filtered else "",
    )
