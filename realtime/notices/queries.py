"""Reading notices: each user sees their own."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from realtime.access import ask_gate
from realtime.models import Notice, NoticeSetting

MOST_COUNTED = 100


def notices_of(actor: Actor) -> QuerySet[Notice]:
    return Notice.objects.filter(organization=actor.organization, user=actor.user)


def unread_notices(actor: Actor) -> QuerySet[Notice]:
    return notices_of(actor).filter(read_at=None)


def get_notice(actor: Actor, notice_id: int) -> Notice:
    notice = notices_of(actor).filter(pk=notice_id).first()
    if notice is None or not _may_read(actor, notice):
        raise NotFound("There is no such notice.")
    return notice


def list_notices(
    actor: Actor, *, unread: bool = False, before: datetime | None = None, limit: int = 50
) -> tuple[list[Notice], datetime | None]:
    """Return notices, the newest first, and the time to go on before (None at the end).

    Those of conversations that the actor may no longer read are left out.
    """
    rows = notices_of(actor)
    if unread:
        rows = rows.filter(read_at=None)
    if before is not None:
        rows = rows.filter(updated_at__lt=before)
    found = list(rows.order_by("-updated_at", "-id")[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    numbers = {notice.conversation_id for notice in found} - {None}
    readable = {number for number in numbers if number is not None and ask_gate(actor.user.pk, number)}
    shown = [row for row in found if row.conversation_id is None or row.conversation_id in readable]
    return shown, found[-1].updated_at if more else None


def count_unread(actor: Actor) -> int:
    """Return how many wait, 100 at most."""
    return unread_notices(actor).values("pk")[:MOST_COUNTED].count()


def mailed_kinds(actor: Actor) -> list[str]:
    found = NoticeSetting.objects.filter(organization=actor.organization, user=actor.user).first()
    return list(found.mailed_kinds) if found else []


def _may_read(actor: Actor, notice: Notice) -> bool:
    return notice.conversation_id is None or ask_gate(actor.user.pk, notice.conversation_id)
