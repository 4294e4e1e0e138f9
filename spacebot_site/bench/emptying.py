"""Emptying a throwaway database, after a test that committed or between two kinds of attack: the few tables that hold something.

Django truncates all of them and has every app fill in its content types and permissions again: that takes longer than most tests.
"""

from __future__ import annotations

from functools import cache

from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper

KEPT = {"django_migrations", "django_content_type", "auth_permission"}
"""What migrations leave, and nobody changes."""

TRIES = 5


def empty_tables() -> None:
    """Delete every row, past all triggers and foreign keys, until nothing is left.

    Only a superuser may. A thread or process that is left may write meanwhile: it is looked again, and whoever has to give
    way tries again.
    """
    for left in reversed(range(TRIES)):
        try:
            with connection.cursor() as cursor:
                if not _empty(cursor):
                    return
        except OperationalError:
            if not left:
                raise


def _empty(cursor: CursorWrapper) -> bool:
    """Say whether there was something. An index of vectors is vacuumed: it would go on finding the dead."""
    cursor.execute(f"select {', '.join(f'exists (select from {table})' for table in _tables())}")
    full = [table for table, is_full in zip(_tables(), cursor.fetchone(), strict=True) if is_full]
    if full:
        deletions = "; ".join(f"delete from {table}" for table in full)
        cursor.execute(f"set session_replication_role = replica; {deletions}; reset session_replication_role")
    for table in set(full) & _with_vectors():
        cursor.execute(f"vacuum {table}")
    return bool(full)


@cache
def _tables() -> tuple[str, ...]:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    return tuple(connection.ops.quote_name(name) for name in sorted(set(names) - KEPT))


@cache
def _with_vectors() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_indexes where indexdef like '% USING hnsw %'")
        return {connection.ops.quote_name(name) for (name,) in cursor.fetchall()}
