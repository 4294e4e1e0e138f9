"""Whoever takes part in the conversation listens, whichever organization they belong to.

A conversation of another organization is never where something is said; if one is named all the same, its people are
strangers who may hear nothing, where before they were not seen at all.
"""

from django.db import migrations

AUDIBLE = """
CREATE OR REPLACE FUNCTION memory_audible(tenant bigint, people bigint[], room bigint) RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH ears AS (
        SELECT unnest(people) AS person
        UNION
        SELECT person_id FROM messaging_participant WHERE conversation_id = room
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

BEFORE = AUDIBLE.replace("WHERE conversation_id = room", "WHERE organization_id = tenant AND conversation_id = room")


class Migration(migrations.Migration):
    dependencies = [("memory", "0007_automatic_edges")]
    operations = [migrations.RunSQL(AUDIBLE, BEFORE)]
