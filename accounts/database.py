"""One habit shared by everything that waits: hand the connection back first."""

from __future__ import annotations

from django.db import connection


def release_connection() -> None:
    """Return this thread's connection to the pool, unless a transaction needs it."""
    if not connection.in_atomic_block:
        connection.close()
