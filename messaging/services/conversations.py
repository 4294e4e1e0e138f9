"""Beginning, naming, sharing and archiving conversations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import Membership, Person
from messaging import hooks
from messaging.models import Conversation, ConversationKind, Participant, PlatformAccount
from messaging.payloads import conversation_payload
from messaging.queries import get_conversation
from realtime.services import NewEvent, announce_access_change, record, unit_of_work

MAX_TITLE_LENGTH = 160
MAX_PARTICIPANTS = 200


def start_conversation(
    actor: Actor,
    *,
    agent_id: int,
    kind: str,
    title: str = "",
    user_ids: Iterable[int] = (),
    external_id: str = "",
    settings: dict[str, Any] | None = None,
) -> Conversation:
    """Open a web chat with an agent: private with the actor alone, shared with `user_ids` as well.

    The caller has checked that the actor may use the agent, and chosen the settings. With an `external_id` there is one such
    conversation: called again, the first is returned. Raises NotFound for people of other organizations.
    """
    others = set(user_ids) - {actor.user.pk}
    if kind not in ConversationKind.values:
        raise InvalidInput("A conversation is private (dm) or shared (group).", field="kind")
    if kind == ConversationKind.DM and others:
        raise InvalidInput(
            "A private conversation has one person; make a shared one instead.", field="user_ids"
        )
    if len(others) >= MAX_PARTICIPANTS:
        raise InvalidInput(f"A conversation has at most {MAX_PARTICIPANTS} people.", field="user_ids")
    with unit_of_work():
        people = _people_of(actor, {actor.user.pk, *others})
        account, _ = PlatformAccount.objects.get_or_create(
            organization=actor.organization, platform="webchat", name="default"
        )
        conversation, is_new = Conversation.objects.get_or_create(
            account=account,
            external_id=external_id or uuid.uuid4().hex,
            defaults={
                "organization": actor.organization,
                "agent_id": agent_id,
                "kind": kind,
                "title": _check_title(title),
                "settings": settings or {},
                "created_by": actor.user,
                "last_message_at": timezone.now(),
            },
        )
        if not is_new:
            return conversation
        Participant.objects.bulk_create(
            Participant(organization=actor.organization, conversation=conversation, person=person)
            for person in people
        )
        record_change(conversation)
    return conversation


def rename(actor: Actor, conversation_id: int, *, title: str) -> Conversation:
    """Give the conversation another title; it is no longer blank afterwards."""
    title = _check_title(title)
    if not title:
        raise InvalidInput("A title cannot be blank.", field="title")
    return _change(actor, conversation_id, title=title)


def archive(actor: Actor, conversation_id: int) -> Conversation:
    """Put the conversation away for all who take part; the next message brings it back."""
    return _change(actor, conversation_id, archived_at=timezone.now())


def unarchive(actor: Actor, conversation_id: int) -> Conversation:
    return _change(actor, conversation_id, archived_at=None)


def add_participant(actor: Actor, conversation_id: int, *, user_id: int) -> Participant:
    """Let another member of the organization read and write in a shared conversation; once is enough.

    They can read all that was said before.
    """
    conversation = _shared(actor, conversation_id)
    with unit_of_work():
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        (person,) = _people_of(actor, {user_id})
        found = Participant.objects.filter(conversation=conversation, person=person).first()
        if found is not None:
            return found
        if conversation.participants.count() >= MAX_PARTICIPANTS:
            raise InvalidInput(f"A conversation has at most {MAX_PARTICIPANTS} people.", field="user_id")
        participant = Participant.objects.create(
            organization=actor.organization, conversation=conversation, person=person
        )
        record_change(conversation)
        for joined in hooks.on_joined:
            joined(conversation, person)
    announce_access_change(actor.organization.pk, user_id)
    return participant


def remove_participant(actor: Actor, conversation_id: int, *, user_id: int) -> None:
    """Take a person out of a shared conversation: oneself, or others if the actor began it.

    The last one cannot leave; they archive instead.
    """
    conversation = _shared(actor, conversation_id)
    if user_id != actor.user.pk and conversation.created_by_id != actor.user.pk:
        raise Forbidden("Only who began a conversation takes others out of it.")
    with unit_of_work():
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        participant = Participant.objects.filter(conversation=conversation, person__user_id=user_id).first()
        if participant is None:
            raise NotFound("This person does not take part.")
        if conversation.participants.count() == 1:
            raise Conflict("The last person cannot leave; archive the conversation instead.")
        participant.delete()
        record_change(conversation)
    announce_access_change(actor.organization.pk, user_id)


def mark_read(actor: Actor, conversation_id: int, *, seq: int | None = None) -> int:
    """Remember how far the actor has read; never goes back, nor past the last message. Returns the place."""
    conversation = get_conversation(actor, conversation_id)
    upto = conversation.last_seq if seq is None else max(0, min(seq, conversation.last_seq))
    mine = Participant.objects.filter(conversation=conversation, person__user=actor.user)
    mine.filter(last_read_seq__lt=upto).update(last_read_seq=upto)
    return mine.values_list("last_read_seq", flat=True).get()


def _change(actor: Actor, conversation_id: int, **fields: object) -> Conversation:
    with unit_of_work():
        conversation = get_conversation(actor, conversation_id)
        Conversation.objects.filter(pk=conversation.pk).update(**fields)
        conversation.refresh_from_db()
        record_change(conversation)
    return conversation


def _shared(actor: Actor, conversation_id: int) -> Conversation:
    conversation = get_conversation(actor, conversation_id)
    if conversation.kind != ConversationKind.GROUP:
        raise Conflict("A private conversation has one person; make a shared one instead.")
    return conversation


def _people_of(actor: Actor, user_ids: set[int]) -> list[Person]:
    """Return the persons of these members, making those that are missing; NotFound if one is no member."""
    members = Membership.objects.filter(
        organization=actor.organization, user_id__in=user_ids, user__is_active=True
    ).select_related("user")
    users = {membership.user_id: membership.user for membership in members}
    if users.keys() != user_ids:
        raise NotFound("There is no such member.")
    known = {
        p.user_id: p for p in Person.objects.filter(organization=actor.organization, user_id__in=user_ids)
    }
    return [
        known.get(user_id)
        or Person.objects.get_or_create(
            organization=actor.organization, user=user, defaults={"display_name": user.get_full_name()[:120]}
        )[0]
        for user_id, user in users.items()
    ]


def _check_title(title: str) -> str:
    title = " ".join(title.replace("\x00", "").split())
    if len(title) > MAX_TITLE_LENGTH:
        raise InvalidInput(f"A title has at most {MAX_TITLE_LENGTH} characters.", field="title")
    return title


def record_change(conversation: Conversation) -> None:
    """Tell those who watch what the conversation is now. Inside a unit of work."""
    event = NewEvent(
        "conversation.changed", {"conversation": conversation_payload(conversation)}, conversation.pk
    )
    record(conversation.organization_id, event)
