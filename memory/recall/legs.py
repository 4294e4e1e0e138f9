"""Pieces of the statements of recall that memories and messages share."""

from __future__ import annotations

# The words of the question as the index has them, and how rare each is on the shelf. Frequent words are counted ahead
# (`memory_commonterm`), the others here and now. On a large shelf, words that stand in over a tenth of everything are
# left out when there are better ones: they cost most and tell least. The rarest words that together stand in some 4,000
# texts lead: every text with one of them is a candidate.
RARITY = """
asked AS (
    SELECT left(u.lexeme, 64) AS term FROM unnest(to_tsvector('english', %(query)s)) AS u LIMIT 64
), shelf AS (
    SELECT id, documents FROM memory_shelf WHERE organization_id = %(organization)s AND agent_id = %(shelf)s
), total AS MATERIALIZED (
    SELECT coalesce((SELECT documents FROM shelf), ({count_all}))::float8 AS documents
), counted AS MATERIALIZED (
    SELECT asked.term, coalesce(
        (SELECT c.documents FROM memory_commonterm AS c WHERE c.shelf_id = (SELECT id FROM shelf) AND c.term = asked.term),
        ({count_term}))::float8 AS documents
    FROM asked
), rarity AS MATERIALIZED (
    SELECT term, weight, running <= 4000 OR documents = rarest AS leads FROM (
        SELECT term, c.documents, ln(1 + greatest(0, t.documents - c.documents + 0.5) / (c.documents + 0.5)) AS weight,
               t.documents AS total, min(c.documents) OVER () AS rarest,
               sum(c.documents) OVER (ORDER BY c.documents, term) AS running
        FROM counted AS c, total AS t WHERE c.documents > 0
    ) AS known
    WHERE total < 5000 OR documents <= total / 10 OR documents = rarest
)"""

# Words that place something in time; asked "when", a text that holds one is likelier to tell.
TIME_WORDS = (
    r"\m(yesterday|today|tonight|tomorrow|ago|last|next|week|weekend|month|year|monday|tuesday|wednesday|thursday|friday"
    r"|saturday|sunday|january|february|march|april|may|june|july|august|september|october|november|december|since"
    r"|recently|[12][0-9]{3})\M"
)
