"""Uploading, sending and removing files.

The bytes are stored first and outside of any transaction; if the row then fails, the sweeper finds them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.models import Person
from accounts.services.people import person_for_user
from messaging.adapters.registry import get_adapter_class
from messaging.attachments import queries, store
from messaging.attachments.limits import MAX_BYTES, MOST_PER_MESSAGE, MOST_UNSENT
from messaging.errors import Unsupported
from messaging.media import clean_name
from messaging.models import Attachment, Conversation, Delivery, DeliveryState, Message
from messaging.queries import get_conversation
from messaging.services import egress
from messaging.services.deliveries import DELIVERED_BY_EVENT
from messaging.services.messages import append_outbound
from realtime.services import unit_of_work


def attachment_payload(attachment: Attachment) -> dict[str, Any]:
    """Return what messages, events and the API tell of a file."""
    return {
        "id": attachment.pk,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size_bytes": attachment.size_bytes,
    }


def upload(actor: Actor, conversation_id: int, *, name: str, stream: store.Stream) -> Attachment:
    """Store a file for a message that the actor is going to send in the conversation.

    Raises NotFound for a conversation the actor is not in, InvalidInput for an empty or too large one, Conflict where there is no
    room for it.
    """
    conversation = get_conversation(actor, conversation_id)
    person = person_for_user(actor.organization, actor.user)
    unsent = Attachment.objects.filter(conversation=conversation, uploaded_by=person, message=None)
    if unsent.count() >= MOST_UNSENT:
        raise Conflict(f"{MOST_UNSENT} files wait to be sent already; send or remove them first.")
    kept = _keep(conversation, stream)
    return _create(conversation, kept, name=name, uploaded_by=person)


def _keep(conversation: Conversation, stream: store.Stream) -> store.Kept:
    check_room(conversation.pk, 0)
    try:
        kept = store.keep(conversation.organization_id, conversation.pk, stream)
    except store.TooLarge:
        raise InvalidInput(
            f"A file may have {MAX_BYTES // 1024 // 1024} MB; this has more.", field="file"
        ) from None
    try:
        if not kept.size_bytes:
            raise InvalidInput("The file is empty.", field="file")
        check_room(conversation.pk, kept.size_bytes)
    except Exception:
        store.discard(conversation.organization_id, conversation.pk, kept.place)
        raise
    return kept


def check_room(conversation_id: int, size_bytes: int) -> None:
    """Raise Conflict where the conversation's files would take more than they may."""
    most_mb = settings.SPACEBOT_CONVERSATION_FILES_MB
    if queries.used_bytes(conversation_id) + size_bytes >= most_mb * 1_000_000:
        raise Conflict(f"The files of this conversation would take more than {most_mb:,} MB.")


def _create(conversation: Conversation, kept: store.Kept, *, name: str, **more: Any) -> Attachment:
    return Attachment.objects.create(
        organization_id=conversation.organization_id,
        conversation=conversation,
        name=clean_name(name),
        media_type=kept.media_type,
        size_bytes=kept.size_bytes,
        digest=kept.digest,
        place=kept.place,
        **more,
    )


def claim(
    conversation: Conversation, person: Person, ids: Sequence[int], *, client_id: str | None
) -> list[Attachment]:
    """Return uploaded files for a message that is about to be stored, in the order asked for; call it in its transaction.

    Raises InvalidInput for a file that is not the person's own here, or was sent with another message.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST_PER_MESSAGE:
        raise InvalidInput(f"A message takes {MOST_PER_MESSAGE} files.", field="attachment_ids")
    rows = Attachment.objects.select_for_update(of=("self",)).select_related("message")
    found = {
        row.pk: row
        for row in rows.filter(pk__in=wanted, conversation=conversation, uploaded_by=person).order_by("pk")
        if row.message is None or (client_id and row.message.external_id == client_id)
    }
    if len(found) < len(wanted):
        raise InvalidInput("A file is not there, or was sent already. Add it again.", field="attachment_ids")
    return [found[each] for each in wanted]


def attach(attachments: Sequence[Attachment], message: Message) -> None:
    """Give files to the message that was stored with them."""
    Attachment.objects.filter(pk__in=[each.pk for each in attachments], message=None).update(message=message)


def words_for(text: str, attachments: Sequence[Attachment]) -> str:
    """Return the text of a message with files: one without words says which they are."""
    return text if text.strip() or not attachments else f"Sent {', '.join(each.name for each in attachments)}"


def check_takes_files(conversation: Conversation) -> None:
    """Raise Unsupported where the conversation's platform cannot show files."""
    platform = conversation.account.platform
    if not get_adapter_class(platform).capabilities.files:
        raise Unsupported(platform, "send files")


def send_file(
    conversation: Conversation,
    *,
    run_id: int,
    author_name: str,
    name: str,
    stream: store.Stream,
    text: str,
    key: str,
) -> Message:
    """Send a file to the conversation as an agent, with a delivery of its own; the same `key` again returns the first message.

    Secrets are taken out of its name and of plain text. Raises HoldsSecrets, Unsupported, InvalidInput or Conflict, and keeps
    nothing then.
    """
    if (first := Attachment.objects.select_related("message").filter(key=key).first()) and first.message:
        return first.message
    check_takes_files(conversation)
    shield = egress.shield_of(conversation.pk)
    content = egress.scrub_file(shield, stream.read(MAX_BYTES + 1))
    kept = _keep(conversation, io.BytesIO(content))
    with unit_of_work():
        attachment = _create(conversation, kept, name=shield.scrub(name).text, run_id=run_id, key=key)
        message = append_outbound(
            conversation.pk,
            run_id=run_id,
            author_name=author_name,
            text=text.strip() or attachment.name,
            key=key,
            metadata={"attachments": [attachment_payload(attachment)]},
        )
        attach([attachment], message)
        if conversation.account.platform in DELIVERED_BY_EVENT:
            _record_delivered(attachment, message)
    return message


def _record_delivered(attachment: Attachment, message: Message) -> None:
    """In web chat the stored event is the delivery, of a file as of words."""
    Delivery.objects.create(
        organization_id=message.organization_id,
        message=message,
        chunk=1,
        text="",
        attachment=attachment,
        state=DeliveryState.DELIVERED,
        key=f"{message.key}/1",
        attempts=1,
        platform_id=str(message.pk),
        finished_at=timezone.now(),
    )


def remove_unsent(actor: Actor, conversation_id: int, attachment_id: int) -> None:
    """Take away a file that the actor uploaded and has not sent."""
    attachment = queries.get_attachment(actor, conversation_id, attachment_id)
    with unit_of_work():
        if not delete(Attachment.objects.filter(pk=attachment.pk, message=None)):
            raise Conflict("It was sent already.")


def delete(rows: QuerySet[Attachment]) -> int:
    """Delete files, rows at once and bytes after the commit; return how many it were."""
    found = list(
        rows.select_for_update(of=("self",)).values_list("pk", "organization_id", "conversation_id", "place")
    )
    for _, organization_id, conversation_id, place in found:
        transaction.on_commit(partial(store.discard, organization_id, conversation_id, place), robust=True)
    Attachment.objects.filter(pk__in=[row[0] for row in found]).delete()
    return len(found)
