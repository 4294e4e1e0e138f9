"""Reads. A file is for those who take part in its conversation; one not sent yet is for whoever uploaded it."""

from __future__ import annotations

from django.db.models import Q, QuerySet, Sum

from accounts.actor import Actor
from accounts.errors import NotFound
from messaging.models import Attachment
from messaging.queries import get_conversation

PICTURE = Q(message=None, run_id__isnull=False)
"""What the tools of a run saw; see `messaging.attachments.pictures`."""


def attachments_of(actor: Actor, conversation_id: int) -> QuerySet[Attachment]:
    conversation = get_conversation(actor, conversation_id)
    seen = Q(message__isnull=False) | Q(uploaded_by__user_id=actor.user.pk)
    return Attachment.objects.filter(seen, organization=actor.organization, conversation=conversation)


def get_attachment(actor: Actor, conversation_id: int, attachment_id: int) -> Attachment:
    attachment = attachments_of(actor, conversation_id).filter(pk=attachment_id).first()
    if attachment is None:
        raise NotFound("There is no such file.")
    return attachment


def list_attachments(
    actor: Actor, conversation_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[Attachment]:
    """Return the files that were sent, newest first."""
    rows = attachments_of(actor, conversation_id).filter(message__isnull=False)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows.order_by("-pk")[:limit])


def sent_in(conversation_id: int) -> QuerySet[Attachment]:
    """Return the files that were sent in a conversation, newest first, for what works in it."""
    rows = Attachment.objects.filter(conversation_id=conversation_id, message__isnull=False)
    return rows.select_related("message").order_by("-pk")


def used_bytes(conversation_id: int) -> int:
    """Return what the files of people and agents take; pictures of runs have bounds of their own."""
    rows = Attachment.objects.filter(conversation_id=conversation_id).exclude(PICTURE)
    return rows.aggregate(total=Sum("size_bytes"))["total"] or 0
