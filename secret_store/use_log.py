"""The log of uses: which secret was used, when, for what, by which run."""

from __future__ import annotations

import time
from datetime import datetime

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from accounts.actor import Actor
from secret_store.models import Secret, SecretUse

NOTED_AGAIN_S = 60.0
"""A purpose without a run of its own, such as a provider's key, is noted once in this time by each process."""

_noted: dict[tuple[int, str], float] = {}


_NOTE = """
INSERT INTO secrets_secretuse AS u
    (organization_id, secret_id, purpose, origin, run_id, agent_id, count, first_at, last_at)
VALUES (%(organization_id)s, %(secret_id)s, %(purpose)s, %(origin)s, %(run_id)s, %(agent_id)s, 1, %(now)s, %(now)s)
ON CONFLICT (secret_id, purpose, origin, run_id) DO UPDATE SET count = u.count + 1, last_at = EXCLUDED.last_at
"""


def note(
    secret: Secret, purpose: str, *, run_id: int | None = None, agent_id: int | None = None, origin: str = ""
) -> None:
    """Write a use into the log."""
    if run_id is None:
        now = time.monotonic()
        if now - _noted.get((secret.pk, purpose), -NOTED_AGAIN_S) < NOTED_AGAIN_S:
            return
        _noted[secret.pk, purpose] = now
    values: dict[str, int | str | datetime | None] = {
        "organization_id": secret.organization_id,
        "secret_id": secret.pk,
        "purpose": purpose[:80],
        "origin": origin[:200],
        "run_id": run_id,
        "agent_id": agent_id,
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, values)


def list_uses(actor: Actor, *, secret_id: int | None = None) -> QuerySet[SecretUse]:
    """Return the organization's uses, newest first."""
    actor.check_scope("secrets:read")
    uses = SecretUse.objects.filter(organization=actor.organization).select_related("secret")
    if secret_id is not None:
        uses = uses.filter(secret_id=secret_id)
    return uses.order_by("-last_at", "-pk")


def with_last_use(secrets: QuerySet[Secret]) -> QuerySet[Secret]:
    """Add to each secret when it was used last, as `used_at`."""
    newest = SecretUse.objects.filter(secret=OuterRef("pk")).order_by("-last_at").values("last_at")
    return secrets.annotate(used_at=Subquery(newest[:1]))
