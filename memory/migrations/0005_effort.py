"""`memory_nearest` is told how hard to look: a near-duplicate is found with little, the best of a large shelf with much."""

from importlib import import_module

from django.db import migrations

BEFORE: str = import_module("memory.migrations.0002_functions").NEAREST
AFTER = BEFORE.replace("only_room bigint\n)", "only_room bigint, effort int\n)").replace(
    "\nBEGIN\n", "\nBEGIN\n    PERFORM set_config('hnsw.ef_search', effort::text, true);\n", 1
)


class Migration(migrations.Migration):
    dependencies = [("memory", "0004_ingestion")]
    operations = [
        migrations.RunSQL(["DROP FUNCTION memory_nearest", AFTER], ["DROP FUNCTION memory_nearest", BEFORE])
    ]
