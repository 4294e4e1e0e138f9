"""Transcript recall: what was said, found by the same means as memories, without anyone having saved it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from memory.embedders import Vector, current_embedder
from memory.errors import EmbedderUnavailable
from memory.listeners import Listeners
from memory.recall.legs import RARITY, TIME_WORDS
from memory.recall.questions import read_question
from memory.services.saving import vector_text

MAX_LIMIT = 50
MAX_QUERY = 4_000


@dataclass(frozen=True)
class TranscriptWeights:
    """What each signal counts for, after it was brought to 0…1; found by measuring, see docs/memory.md."""

    alone: float = 0.6
    window: float = 0.6
    section: float = 0.4
    vector: float = 0.7
    vector_context: float = 0.5
    context: float = 0.6
    speaker: float = 0.3
    time: float = 0.3
    when: float = 0.4
    length: float = 0.5
    question: float = 0.2


WEIGHTS = TranscriptWeights()


@dataclass(frozen=True)
class Said:
    """A message that was found; `score` ranks within one answer."""

    message_id: int
    conversation_id: int
    seq: int
    author_name: str
    person_id: int | None
    text: str
    said_at: datetime
    score: float


def recall_transcript(
    query: str,
    *,
    organization_id: int,
    agent_id: int,
    listeners: Listeners,
    limit: int = 10,
    since: datetime | None = None,
    until: datetime | None = None,
    conversation_id: int | None = None,
    vector: Vector | None = None,
    weights: TranscriptWeights = WEIGHTS,
) -> list[Said]:
    """Return messages from conversations in which every listener takes part, best first."""
    query = query.replace("\x00", " ").strip()[:MAX_QUERY]
    if not query:
        return []
    embedder = current_embedder()
    wants_vector = bool(weights.vector or weights.vector_context)
    if vector is None and wants_vector:
        try:
            vector = embedder.embed([query])[0]
        except EmbedderUnavailable:
            vector = None
    question = read_question(query, now=timezone.now())
    parameters: dict[str, Any] = {
        "organization": organization_id,
        "agent": agent_id,
        "shelf": 0,
        "people": sorted(listeners.person_ids),
        "room": listeners.conversation_id,
        "query": query,
        "words": question.words,
        "asks_when": question.asks_when,
        "time_words": TIME_WORDS,
        "asked_since": question.since,
        "asked_until": question.until,
        "vector": vector_text(vector) if vector is not None else None,
        "embedder": embedder.name,
        "since": since,
        "until": until,
        "conversation": conversation_id,
        "limit": max(1, min(limit, MAX_LIMIT)),
        **{f"w_{name}": value for name, value in vars(weights).items()},
    }
    with connection.cursor() as cursor:
        cursor.execute(WITH_VECTOR if vector is not None and wants_vector else WITHOUT_VECTOR, parameters)
        return [Said(*row) for row in cursor.fetchall()]


COUNT_ALL = "SELECT count(*) FROM memory_indexedmessage WHERE organization_id = %(organization)s"
COUNT_TERM = "SELECT count(*) FROM memory_messageposting AS p WHERE p.organization_id = %(organization)s AND p.term = asked.term"

ROOMS = """rooms AS MATERIALIZED (
    SELECT coalesce(array_agg(c.id), '{{}}') AS ids FROM messaging_conversation AS c
    WHERE c.id = ANY (memory_audible(%(organization)s, %(people)s::bigint[], %(room)s))
      AND c.organization_id = %(organization)s AND c.agent_id = %(agent)s
      AND coalesce(c.settings ->> 'memory', 'full') IN ('full', 'ambient')
      AND (%(conversation)s::bigint IS NULL OR c.id = %(conversation)s)
)"""

# A message is found by its own words, its neighbours' or its vector; then the stretch it stands in, and the found
# messages around it, speak for it too.
STATEMENT = f"""
WITH {ROOMS}, {{rarity}},
spoken AS MATERIALIZED (
    SELECT p.message_id AS id, sum(p.alone * r.weight)::float8 AS alone, sum(p."window" * r.weight)::float8 AS around
    FROM rarity AS r JOIN memory_messageposting AS p ON p.organization_id = %(organization)s AND p.term = r.term
    WHERE p.conversation_id = ANY ((SELECT ids FROM rooms)::bigint[])
    GROUP BY p.message_id
), sections AS MATERIALIZED (
    SELECT p.section_id AS id, sum(p.weight * r.weight)::float8 AS score
    FROM rarity AS r JOIN memory_sectionposting AS p ON p.organization_id = %(organization)s AND p.term = r.term
    WHERE p.conversation_id = ANY ((SELECT ids FROM rooms)::bigint[])
    GROUP BY p.section_id
), placed AS MATERIALIZED (
    SELECT i.message_id AS id, i.section_id, i.seq, s.alone, s.around
    FROM (
        SELECT * FROM spoken ORDER BY alone + around DESC LIMIT
            CASE WHEN %(since)s::timestamptz IS NULL AND %(until)s::timestamptz IS NULL THEN 600 ELSE 20000 END
    ) AS s CROSS JOIN LATERAL (
        SELECT * FROM memory_indexedmessage AS i WHERE i.message_id = s.id OFFSET 0) AS i
    WHERE (%(since)s::timestamptz IS NULL OR i.said_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR i.said_at < %(until)s)
    ORDER BY s.alone + s.around DESC LIMIT 600
), near AS MATERIALIZED ({{near}}
), found AS MATERIALIZED (
    SELECT each.id, s.alone, s.around
    FROM ((SELECT id FROM placed ORDER BY alone + around DESC LIMIT 150) UNION SELECT id FROM near) AS each
    LEFT JOIN spoken AS s ON s.id = each.id
), bounds AS (
    SELECT greatest((SELECT max(alone) FROM spoken), 1e-9) AS alone,
           greatest((SELECT max(around) FROM spoken), 1e-9) AS around,
           greatest((SELECT max(score) FROM sections), 1e-9) AS section
), looked_up AS MATERIALIZED (
    SELECT i.message_id AS id, i.conversation_id, i.seq, i.said_at, i.speaker_id, i.section_id,
           coalesce(f.alone, 0) AS alone, coalesce(f.around, 0) AS around, {{likeness}} AS likeness,
           {{vector_context}} AS vector_context
    FROM found AS f CROSS JOIN LATERAL (
        SELECT * FROM memory_indexedmessage AS i WHERE i.message_id = f.id OFFSET 0) AS i
), gathered AS MATERIALIZED (
    SELECT l.id, l.conversation_id, l.seq, l.said_at, l.speaker_id, l.section_id, l.likeness, l.vector_context,
           l.alone / b.alone AS alone, l.around / b.around AS around, coalesce(t.score, 0) / b.section AS section
    FROM looked_up AS l LEFT JOIN sections AS t ON t.id = l.section_id, bounds AS b
), around AS MATERIALIZED (
    SELECT g.id, sum(n.alone * power(0.8, abs(n.seq - g.seq) - 1)) AS score
    FROM gathered AS g JOIN placed AS n ON n.section_id = g.section_id
    WHERE n.seq BETWEEN g.seq - 6 AND g.seq + 6 AND n.seq <> g.seq GROUP BY g.id
), spread AS (
    SELECT greatest((SELECT max(score) FROM around), 1e-9) AS context, greatest(max(vector_context), 1e-9) AS vector_context,
           max(likeness) AS nearest, min(likeness) AS farthest FROM gathered
)
SELECT g.id, g.conversation_id, g.seq, m.author_name, m.person_id, m.text, m.created_at,
       %(w_alone)s * g.alone + %(w_window)s * g.around + %(w_section)s * g.section
       + %(w_vector)s * (g.likeness - s.farthest) / greatest(s.nearest - s.farthest, 0.1)
       + %(w_vector_context)s * g.vector_context / s.vector_context
       + %(w_context)s * coalesce(a.score, 0) / s.context
       + %(w_speaker)s * (split_part(lower(m.author_name), ' ', 1) = ANY (%(words)s::text[]))::int
       + %(w_time)s * (%(asked_since)s::timestamptz IS NOT NULL AND g.said_at >= %(asked_since)s
            AND g.said_at < %(asked_until)s)::int
       + %(w_when)s * (%(asks_when)s AND m.text ~* %(time_words)s)::int
       + %(w_length)s * ln(1 + length(m.text) / 10.0)::float8 / 4
       - %(w_question)s * (m.text ~ '\\?\\s*$')::int AS score
FROM gathered AS g JOIN messaging_message AS m ON m.id = g.id LEFT JOIN around AS a ON a.id = g.id, spread AS s
ORDER BY score DESC, g.id DESC LIMIT %(limit)s
"""  # noqa: S608

NEAR = """SELECT id, likeness FROM memory_nearest_messages(%(organization)s, (SELECT ids FROM rooms),
    %(embedder)s, %(vector)s::vector, 100, %(since)s, %(until)s)"""
NO_VECTOR = "SELECT NULL::bigint AS id, 0::float8 AS likeness WHERE false"


LIKENESS = "(CASE WHEN i.embedder = %(embedder)s THEN 1 - (i.embedding <=> %(vector)s::vector) ELSE 0 END)"
VECTOR_CONTEXT = """(
    SELECT coalesce(sum(power(greatest(0, 1 - (n.embedding <=> %(vector)s::vector)), 2)
        * power(0.8, abs(n.seq - i.seq) - 1)), 0)
    FROM memory_indexedmessage AS n
    WHERE n.conversation_id = i.conversation_id AND n.seq BETWEEN i.seq - 4 AND i.seq + 4 AND n.seq <> i.seq
      AND n.section_id = i.section_id AND n.embedder = %(embedder)s)"""


def _statement(*, near: str, likeness: str, vector_context: str) -> str:
    rarity = RARITY.format(count_all=COUNT_ALL, count_term=COUNT_TERM)
    return STATEMENT.format(rarity=rarity, near=near, likeness=likeness, vector_context=vector_context)


WITH_VECTOR = _statement(near=NEAR, likeness=LIKENESS, vector_context=VECTOR_CONTEXT)
WITHOUT_VECTOR = _statement(near=NO_VECTOR, likeness="0::float8", vector_context="0::float8")
