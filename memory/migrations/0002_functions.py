"""What the database computes for every reader of memory: who may hear what, what is nearest, what counts now.

`memory_audible` is the one place that says which audiences all listeners share. Nobody at all hears nothing.
"""

from django.db import migrations

AUDIBLE = """
CREATE FUNCTION memory_audible(tenant bigint, people bigint[], room bigint) RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH ears AS (
        SELECT unnest(people) AS person
        UNION
        SELECT person_id FROM messaging_participant WHERE organization_id = tenant AND conversation_id = room
    ), counted AS (
        SELECT count(*) AS all_ears,
               count(*) FILTER (WHERE EXISTS (
                   SELECT 1 FROM accounts_person AS p
                   JOIN accounts_user AS u ON u.id = p.user_id AND u.is_active
                   JOIN accounts_membership AS m ON m.user_id = u.id AND m.organization_id = tenant
                   WHERE p.id = ears.person AND p.organization_id = tenant)) AS insiders
        FROM ears
    )
    SELECT coalesce(array_agg(reach), '{}') FROM (
        SELECT 0::bigint AS reach FROM counted WHERE all_ears > 0 AND insiders = all_ears
        UNION ALL
        SELECT -ears.person FROM ears, counted WHERE all_ears = 1
        UNION ALL
        SELECT t.conversation_id FROM messaging_participant AS t JOIN ears ON ears.person = t.person_id
        WHERE t.organization_id = tenant
        GROUP BY t.conversation_id HAVING count(*) = (SELECT all_ears FROM counted)
    ) AS shared
$$;
"""

IMPORTANCE = """
CREATE FUNCTION memory_importance(
    base float8, kind text, pinned boolean, age_days float8, idle_days float8, accesses int, edges int
) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pinned THEN greatest(base, 0.95) ELSE least(1.0,
        base * CASE WHEN kind IN ('identity', 'human') THEN 1.0
            ELSE 0.4 + 0.6 * power(2.0, -greatest(0.0, least(age_days, idle_days))
                / CASE kind WHEN 'goal' THEN 90.0 WHEN 'todo' THEN 90.0 WHEN 'event' THEN 60.0
                    WHEN 'observation' THEN 60.0 ELSE 180.0 END) END
        + least(0.15, 0.03 * ln(1.0 + greatest(0, accesses)))
        + least(0.10, 0.02 * greatest(0, edges))) END
$$;
"""

# Small shelves, and readers who may hear little of a large one, are searched exactly: an index walk under a
# selective filter would find too little. `made_by` keeps vectors of different embedders apart.
NEAREST = """
CREATE FUNCTION memory_nearest(
    tenant bigint, agent bigint, reaches bigint[], made_by text, probe vector, wanted int,
    only_types text[], since timestamptz, until timestamptz, only_person bigint, only_room bigint
) RETURNS TABLE (id bigint, likeness float8) LANGUAGE plpgsql STABLE ROWS 60
SET plan_cache_mode = 'force_custom_plan' SET enable_sort = 'off'
SET hnsw.ef_search = 200 SET hnsw.iterative_scan = 'relaxed_order'
AS $$
BEGIN
    IF (SELECT count(*) FROM (
        SELECT 1 FROM memory_memory AS m
        WHERE m.organization_id = tenant AND m.agent_id = agent AND m.reach = ANY (reaches)
          AND m.forgotten_at IS NULL AND m.superseded_at IS NULL
          AND (only_types IS NULL OR m.type = ANY (only_types))
          AND (since IS NULL OR m.valid_from >= since) AND (until IS NULL OR m.valid_from < until)
          AND (only_person IS NULL OR m.person_id = only_person OR m.about_id = only_person)
          AND (only_room IS NULL OR m.conversation_id = only_room)
        LIMIT 3001) AS few) <= 3000
    THEN RETURN QUERY
        WITH shelf AS MATERIALIZED (
            SELECT m.id, (m.embedding <=> probe) AS distance FROM memory_memory AS m
            WHERE m.organization_id = tenant AND m.agent_id = agent AND m.reach = ANY (reaches)
              AND m.forgotten_at IS NULL AND m.superseded_at IS NULL AND m.embedder = made_by
              AND (only_types IS NULL OR m.type = ANY (only_types))
              AND (since IS NULL OR m.valid_from >= since) AND (until IS NULL OR m.valid_from < until)
              AND (only_person IS NULL OR m.person_id = only_person OR m.about_id = only_person)
              AND (only_room IS NULL OR m.conversation_id = only_room))
        SELECT shelf.id, 1 - shelf.distance FROM shelf ORDER BY distance LIMIT wanted;
    ELSE RETURN QUERY
        SELECT m.id, 1 - (m.embedding <=> probe) FROM memory_memory AS m
        WHERE m.organization_id = tenant AND m.agent_id = agent AND m.reach = ANY (reaches)
          AND m.forgotten_at IS NULL AND m.superseded_at IS NULL AND m.embedder = made_by
          AND (only_types IS NULL OR m.type = ANY (only_types))
          AND (since IS NULL OR m.valid_from >= since) AND (until IS NULL OR m.valid_from < until)
          AND (only_person IS NULL OR m.person_id = only_person OR m.about_id = only_person)
          AND (only_room IS NULL OR m.conversation_id = only_room)
        ORDER BY m.embedding <=> probe LIMIT wanted;
    END IF;
END $$;
"""

MESSAGES = """
CREATE FUNCTION memory_nearest_messages(
    tenant bigint, rooms bigint[], made_by text, probe vector, wanted int, since timestamptz, until timestamptz
) RETURNS TABLE (id bigint, likeness float8) LANGUAGE plpgsql STABLE ROWS 60
SET plan_cache_mode = 'force_custom_plan' SET enable_sort = 'off'
SET hnsw.ef_search = 200 SET hnsw.iterative_scan = 'relaxed_order'
AS $$
BEGIN
    IF (SELECT count(*) FROM (
        SELECT 1 FROM memory_indexedmessage AS m WHERE m.conversation_id = ANY (rooms) LIMIT 3001) AS few) <= 3000
    THEN RETURN QUERY
        WITH shelf AS MATERIALIZED (
            SELECT m.message_id, (m.embedding <=> probe) AS distance FROM memory_indexedmessage AS m
            WHERE m.organization_id = tenant AND m.conversation_id = ANY (rooms) AND m.embedder = made_by
              AND (since IS NULL OR m.said_at >= since) AND (until IS NULL OR m.said_at < until))
        SELECT shelf.message_id, 1 - shelf.distance FROM shelf ORDER BY distance LIMIT wanted;
    ELSE RETURN QUERY
        SELECT m.message_id, 1 - (m.embedding <=> probe) FROM memory_indexedmessage AS m
        WHERE m.organization_id = tenant AND m.conversation_id = ANY (rooms) AND m.embedder = made_by
          AND (since IS NULL OR m.said_at >= since) AND (until IS NULL OR m.said_at < until)
        ORDER BY m.embedding <=> probe LIMIT wanted;
    END IF;
END $$;
"""

UNDO = """
DROP FUNCTION memory_nearest_messages;
DROP FUNCTION memory_nearest;
DROP FUNCTION memory_importance;
DROP FUNCTION memory_audible;
"""


class Migration(migrations.Migration):
    dependencies = [("memory", "0001_initial")]
    operations = [
        # The extension's settings are known only where its library is loaded.
        migrations.RunSQL("SELECT '[1]'::vector <=> '[1]'::vector", migrations.RunSQL.noop),
        migrations.RunSQL([AUDIBLE, IMPORTANCE, NEAREST, MESSAGES], UNDO),
    ]
