"""Notices by mail: claimed before they are sent, so that no mail goes out twice; what a death left open is given up."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone

from accounts.logs import get_logger
from accounts.models import Membership
from realtime.access import ask_gate
from realtime.models import MailState, Notice

log = get_logger(__name__)

MOST_AT_ONCE = 50
UNKNOWN_AFTER = timedelta(minutes=10)


def mail_due() -> int:
    """Mail what has stayed unread; return how many went out."""
    if not settings.SPACEBOT_EMAIL_URL:
        return 0
    now = timezone.now()
    lost = Notice.objects.filter(mail=MailState.SENDING, mail_at__lt=now - UNKNOWN_AFTER)
    lost.update(mail=MailState.FAILED)
    due = Notice.objects.filter(mail=MailState.DUE, mail_at__lte=now).order_by("mail_at")
    return sum(_mail(pk) for pk in list(due.values_list("pk", flat=True)[:MOST_AT_ONCE]))


def _mail(notice_id: int) -> bool:
    claimed = Notice.objects.filter(pk=notice_id, mail=MailState.DUE).update(
        mail=MailState.SENDING, mail_at=timezone.now()
    )
    if not claimed:
        return False
    notice = Notice.objects.select_related("user", "organization").get(pk=notice_id)
    if not _still_wanted(notice):
        Notice.objects.filter(pk=notice_id).update(mail=MailState.NONE)
        return False
    try:
        _message(notice).send()
    except OSError as error:
        log.warning("notice.mail_failed", notice=notice_id, error=str(error))
        Notice.objects.filter(pk=notice_id).update(mail=MailState.FAILED, mail_at=timezone.now())
        return False
    Notice.objects.filter(pk=notice_id).update(mail=MailState.SENT, mail_at=timezone.now())
    return True


def _still_wanted(notice: Notice) -> bool:
    """Ask at the last moment: unread, still a member, still in the conversation."""
    member = Membership.objects.filter(
        organization_id=notice.organization_id, user_id=notice.user_id, user__is_active=True
    )
    if notice.read_at is not None or not member.exists():
        return False
    return notice.conversation_id is None or ask_gate(notice.user_id, notice.conversation_id)


def _message(notice: Notice) -> EmailMessage:
    link = f"{settings.PUBLIC_URL}/notices/{notice.pk}/"
    why = f"You chose to get such mails under Notices in {notice.organization.name}."
    body = "\n\n".join(part for part in (notice.title, notice.text, link, why) if part)
    return EmailMessage(
        subject=f"[{notice.organization.name}] {notice.title}",
        body=body,
        to=[notice.user.email],
        connection=get_connection(fail_silently=False),
    )
