"""Reading working memory in one statement. Nothing leaves the database that a listener may not hear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from agents.models import Agent
from messaging.models import Conversation

DAYS = 8
"""How far the log looks back; one more than a week, as days begin at different times around the world."""
MOST_EVENTS = 200
MOST_SUMMARIES = 80
MOST_ROOMS = 10
MOST_PEOPLE = 5
MOST_NAMES = 30
LAST_SAID = 50

READ = """
WITH heard AS MATERIALIZED (
    SELECT memory_audible(%(tenant)s, '{}'::bigint[], %(room)s) AS reaches
), spoke AS (
    SELECT person_id, max(seq) AS seq FROM (
        SELECT person_id, seq FROM messaging_message WHERE conversation_id = %(room)s ORDER BY seq DESC LIMIT %(said)s
    ) AS said WHERE person_id IS NOT NULL GROUP BY person_id
), people AS (
    SELECT person.id, person.display_name, person.user_id, spoke.seq
    FROM messaging_participant AS taking JOIN accounts_person AS person ON person.id = taking.person_id
    LEFT JOIN spoke ON spoke.person_id = person.id
    WHERE taking.conversation_id = %(room)s AND taking.organization_id = %(tenant)s
)
SELECT json_build_object(
    'zone', (SELECT time_zone FROM accounts_organization WHERE id = %(tenant)s),
    'names', (SELECT json_agg(display_name ORDER BY display_name) FROM (
        SELECT display_name FROM people ORDER BY display_name LIMIT %(names)s) AS few),
    'people', (SELECT json_agg(few) FROM (
        SELECT people.display_name AS name, people.id,
            (SELECT role FROM accounts_membership AS member JOIN accounts_user AS login ON login.id = member.user_id
             WHERE member.user_id = people.user_id AND member.organization_id = %(tenant)s AND login.is_active) AS role,
            (SELECT content FROM memory_memory AS known
             WHERE known.organization_id = %(tenant)s AND known.agent_id = %(agent)s AND known.type = 'human'
               AND known.about_id = people.id AND known.reach = ANY ((SELECT reaches FROM heard)::bigint[])
               AND known.forgotten_at IS NULL AND known.superseded_at IS NULL
             ORDER BY known.updated_at DESC, known.id DESC LIMIT 1) AS profile,
            (SELECT json_agg(did ORDER BY id) FROM (
                SELECT id, summary FROM agents_workingevent
                WHERE agent_id = %(agent)s AND person_id = people.id AND day >= %(since)s
                  AND reach = ANY ((SELECT reaches FROM heard)::bigint[]) AND importance >= 0.5
                ORDER BY id DESC LIMIT 3) AS did) AS lately
        FROM people ORDER BY seq DESC NULLS LAST, id LIMIT %(people)s) AS few),
    'syntheses', (SELECT json_agg(few ORDER BY id) FROM (
        SELECT id, kind, day, reach, text, from_at, to_at FROM agents_synthesis
        WHERE organization_id = %(tenant)s AND agent_id = %(agent)s AND day >= %(since)s
          AND reach = ANY ((SELECT reaches FROM heard)::bigint[]) AND rolled_into_id IS NULL
        ORDER BY id DESC LIMIT %(summaries)s) AS few),
    'events', (SELECT json_agg(few ORDER BY id) FROM (
        SELECT open.* FROM unnest((SELECT reaches FROM heard)) AS ear(reach), LATERAL (
            SELECT id, type, summary, importance, reach, day, created_at AS at FROM agents_workingevent
            WHERE organization_id = %(tenant)s AND agent_id = %(agent)s AND agents_workingevent.reach = ear.reach
              AND synthesis_id IS NULL AND day >= %(since)s
            ORDER BY id DESC LIMIT %(events)s) AS open
        ORDER BY id DESC LIMIT %(events)s) AS few),
    'rooms', (SELECT json_agg(few) FROM (
        SELECT other.id, other.kind, other.title, other.last_message_at AS at, other.last_seq AS count,
            (SELECT author_name FROM messaging_message WHERE conversation_id = other.id AND direction = 'in'
             ORDER BY seq DESC LIMIT 1) AS sender,
            (SELECT summary FROM agents_workingevent
             WHERE conversation_id = other.id AND agent_id = %(agent)s AND type = 'branch_completed'
               AND reach = ANY ((SELECT reaches FROM heard)::bigint[]) ORDER BY id DESC LIMIT 1) AS thought
        FROM messaging_conversation AS other
        WHERE other.organization_id = %(tenant)s AND other.agent_id = %(agent)s AND other.id <> %(room)s
          AND other.id = ANY ((SELECT reaches FROM heard)::bigint[])
          AND other.archived_at IS NULL AND other.last_seq > 0 AND other.last_message_at >= %(since)s
          AND coalesce(other.settings->>'memory', 'full') IN ('full', 'ambient')
        ORDER BY other.last_message_at DESC LIMIT %(rooms)s) AS few)
)::text
"""
"""Open events are read audience by audience, each along the index: under one condition for all of them the planner may
walk through everybody's newest events instead. The map shows only conversations in which everyone here takes part."""


@dataclass(frozen=True)
class Snapshot:
    """What was read in a conversation, as JSON text: on one day, the same text means the same prompt."""

    room: int
    content: str


def read_snapshot(agent: Agent, conversation: Conversation) -> Snapshot:
    """Read what everyone in the conversation may hear; one query."""
    values: dict[str, int | date] = {
        "tenant": agent.organization_id,
        "agent": agent.pk,
        "room": conversation.pk,
        "since": (timezone.now() - timedelta(days=DAYS)).date(),
        "said": LAST_SAID,
        "names": MOST_NAMES,
        "people": MOST_PEOPLE,
        "summaries": MOST_SUMMARIES,
        "events": MOST_EVENTS,
        "rooms": MOST_ROOMS,
    }
    with connection.cursor() as cursor:
        cursor.execute(READ, values)
        content: str = cursor.fetchone()[0]
    return Snapshot(conversation.pk, content)
