"""Telling people, and their having read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import InvalidInput
from accounts.models import Membership, Role
from realtime.models import Notice, NoticeKind, NoticeSetting
from realtime.notices.queries import get_notice, notices_of
from realtime.services import NewEvent, record, unit_of_work

MAIL_AFTER = timedelta(minutes=2)
"""Who sits in front of the page reads it there; only what stays unread is mailed."""


@dataclass(frozen=True)
class Subject:
    """What a notice leads to: `kind` is one the site has a page for, such as run, conversation, task."""

    kind: str = ""
    id: int | None = None


NOWHERE = Subject()

UPSERT = """
INSERT INTO realtime_notice AS n (organization_id, user_id, kind, key, title, text, subject, subject_id, conversation_id,
    count, created_at, updated_at, mail, mail_at)
SELECT %(organization)s, m.user_id, %(kind)s, %(key)s, %(title)s, %(text)s, %(subject)s, %(subject_id)s, %(conversation)s,
    1, %(now)s, %(now)s, CASE WHEN s.id IS NULL THEN 'none' ELSE 'due' END,
    CASE WHEN s.id IS NULL THEN NULL ELSE %(mail_at)s::timestamptz END
FROM accounts_membership AS m JOIN accounts_user AS u ON u.id = m.user_id AND u.is_active
LEFT JOIN realtime_noticesetting AS s ON %(mailing)s AND s.organization_id = m.organization_id
    AND s.user_id = m.user_id AND %(kind)s = ANY (s.mailed_kinds)
WHERE m.organization_id = %(organization)s AND m.user_id = ANY (%(users)s)
ORDER BY m.user_id
ON CONFLICT (user_id, organization_id, key) DO UPDATE SET
    kind = excluded.kind, title = excluded.title, text = excluded.text, subject = excluded.subject,
    subject_id = excluded.subject_id, conversation_id = excluded.conversation_id, updated_at = excluded.updated_at,
    count = CASE WHEN n.read_at IS NULL THEN n.count + 1 ELSE 1 END, read_at = NULL,
    mail = CASE WHEN n.read_at IS NULL AND n.mail IN ('sending', 'sent') THEN n.mail ELSE excluded.mail END,
    mail_at = CASE WHEN n.read_at IS NULL AND n.mail IN ('sending', 'sent') THEN n.mail_at
        WHEN n.read_at IS NULL AND n.mail = 'due' THEN n.mail_at ELSE excluded.mail_at END
RETURNING n.user_id
"""


def notify(
    organization_id: int,
    user_ids: Iterable[int],
    *,
    kind: NoticeKind,
    key: str,
    title: str,
    text: str = "",
    subject: Subject = NOWHERE,
    conversation_id: int | None = None,
) -> list[int]:
    """Tell users something; return whom. Who is not an active member hears nothing.

    Belongs into the transaction of what it tells about. Saying the same `key` again merges with what is unread, so a
    job that runs twice tells once more of the same. `text` must hold nothing that these users may not read.
    """
    users = sorted(set(user_ids))
    if not users:
        return []
    now = timezone.now()
    values: dict[str, Any] = {
        "organization": organization_id,
        "users": users,
        "kind": str(kind),
        "key": key[:120],
        "title": " ".join(title.split())[:200],
        "text": text[:4_000],
        "subject": subject.kind,
        "subject_id": subject.id,
        "conversation": conversation_id,
        "now": now,
        "mail_at": now + MAIL_AFTER,
        "mailing": bool(settings.SPACEBOT_EMAIL_URL),
    }
    with unit_of_work(), connection.cursor() as cursor:
        cursor.execute(UPSERT, values)
        told = [row[0] for row in cursor.fetchall()]
        record(organization_id, *(_changed(user_id) for user_id in told))
    return told


def members_from(organization_id: int, lowest: Role) -> list[int]:
    """Return the users whose role reaches `lowest`, for `notify`."""
    roles = [role for role in Role if role.level >= lowest.level]
    rows = Membership.objects.filter(organization_id=organization_id, role__in=roles)
    return list(rows.values_list("user_id", flat=True))


def mark_read(actor: Actor, notice_id: int) -> Notice:
    """Mark one as read. Raises NotFound for another's."""
    notice = get_notice(actor, notice_id)
    if notice.read_at is None:
        with unit_of_work():
            notice.read_at = timezone.now()
            notice.save(update_fields=["read_at"])
            record(actor.organization.pk, _changed(actor.user.pk))
    return notice


def mark_all_read(actor: Actor) -> int:
    """Mark everything as read; return how many."""
    with unit_of_work():
        count = notices_of(actor).filter(read_at=None).update(read_at=timezone.now())
        if count:
            record(actor.organization.pk, _changed(actor.user.pk))
    return count


def settle(organization_id: int, key: str) -> None:
    """Mark what a key told everyone as read: it needs nobody any more."""
    with unit_of_work():
        rows = Notice.objects.filter(organization_id=organization_id, key=key, read_at=None)
        users = list(rows.values_list("user_id", flat=True))
        rows.update(read_at=timezone.now())
        record(organization_id, *(_changed(user_id) for user_id in users))


def set_mailed_kinds(actor: Actor, kinds: Sequence[str]) -> NoticeSetting:
    """Choose which kinds are mailed as well. Raises InvalidInput for an unknown kind."""
    unknown = sorted(set(kinds) - set(NoticeKind.values))
    if unknown:
        raise InvalidInput(f"There is no kind of notice {unknown[0]!r}.", field="mailed_kinds")
    setting, _ = NoticeSetting.objects.update_or_create(
        organization=actor.organization, user=actor.user, defaults={"mailed_kinds": sorted(set(kinds))}
    )
    return setting


def prune_notices(*, older_than_days: int) -> int:
    """Delete what was read so long ago; return how many."""
    before = timezone.now() - timedelta(days=older_than_days)
    return Notice.objects.filter(read_at__lt=before).delete()[0]


def _changed(user_id: int) -> NewEvent:
    return NewEvent("notice.changed", {"user_id": user_id}, user_id=user_id)
