"""The way in for every platform but web chat: who may be heard, where it belongs, and storing it."""

from __future__ import annotations

from typing import Any, NamedTuple

from accounts.logs import get_logger
from accounts.models import Identity, Person
from messaging import hooks
from messaging.adapters.base import InboundMessage
from messaging.models import (
    Conversation,
    ConversationKind,
    Delivery,
    Handling,
    Message,
    Participant,
    PlatformAccount,
)
from messaging.payloads import conversation_payload
from messaging.services.bindings import resolve
from messaging.services.messages import append_inbound
from messaging.text import check_text
from realtime.services import NewEvent, record, unit_of_work

log = get_logger(__name__)

OURS = frozenset({"attachments", "asks", "question_id"})
"""What our own code keeps in a message's metadata: no platform may write it."""


class Stored(NamedTuple):
    """What became of it. Without a conversation it was ignored, and the log says why.

    Only a `created` message whose handling is unanswered wakes the agent.
    """

    conversation: Conversation | None
    message: Message | None
    created: bool


def store_inbound(inbound: InboundMessage) -> Stored:
    """Store a message from a platform in one transaction; the same external id again changes nothing.

    A message nobody may hear is kept, as ignored, only in a conversation that exists already: strangers cannot
    make rows. Otherwise a log line keeps the reason. Raises InvalidInput for text that cannot be stored.
    """
    check_text(inbound.text)
    with unit_of_work():
        account = PlatformAccount.objects.get(pk=inbound.account_id)
        decision = resolve(account, inbound)
        heard = decision.agent_id is not None
        conversation = Conversation.objects.filter(
            account=account, external_id=inbound.conversation_id
        ).first()
        if decision.agent_id is not None:
            conversation = conversation or _open(account, inbound, decision.agent_id)
            if conversation.agent_id != decision.agent_id:
                _hand_over(conversation, decision.agent_id)
        elif conversation is None:
            _log_ignored(inbound, decision.reason)
            return Stored(None, None, False)
        person = _person_for(account, inbound) if heard else _known_person(account, inbound)
        if heard and person is not None:
            _let_in(conversation, person)
        message, created = append_inbound(
            conversation.pk,
            person=person,
            author_name=inbound.sender_name or inbound.sender_id,
            text=inbound.text,
            external_id=inbound.external_id,
            reply_to_id=_find_replied(conversation, inbound.reply_to_external_id),
            metadata={name: value for name, value in inbound.metadata.items() if name not in OURS},
            handling=Handling.UNANSWERED if heard else Handling.IGNORED,
            reason=decision.reason,
        )
    if created and not heard:
        _log_ignored(inbound, decision.reason)
    return Stored(conversation, message, created)


def _open(account: PlatformAccount, inbound: InboundMessage, agent_id: int) -> Conversation:
    conversation, _ = Conversation.objects.get_or_create(
        account=account,
        external_id=inbound.conversation_id,
        defaults={
            "organization_id": account.organization_id,
            "agent_id": agent_id,
            "kind": ConversationKind.DM if inbound.is_direct else ConversationKind.GROUP,
            "title": inbound.conversation_title[:160],
        },
    )
    return conversation


def _let_in(conversation: Conversation, person: Person) -> None:
    """Make the sender take part. Whoever speaks first has not joined anything."""
    _, new = Participant.objects.get_or_create(
        conversation=conversation, person=person, defaults={"organization_id": conversation.organization_id}
    )
    if new and conversation.last_seq:
        for joined in hooks.on_joined:
            joined(conversation, person)


def _hand_over(conversation: Conversation, agent_id: int) -> None:
    """Follow a changed binding: the conversation belongs to another agent from now on."""
    Conversation.objects.filter(pk=conversation.pk).update(agent_id=agent_id)
    conversation.refresh_from_db()
    payload = {"conversation": conversation_payload(conversation)}
    record(conversation.organization_id, NewEvent("conversation.changed", payload, conversation.pk))


def _person_for(account: PlatformAccount, inbound: InboundMessage) -> Person:
    """Return who the sender is, making them known at their first message."""
    name = (inbound.sender_name or inbound.sender_id)[:120]

    def make_person() -> Person:
        return Person.objects.create(organization_id=account.organization_id, display_name=name)

    defaults: dict[str, Any] = {"display_name": name, "person": make_person}
    identity, created = Identity.objects.select_related("person").get_or_create(
        organization_id=account.organization_id,
        platform=account.platform,
        external_id=inbound.sender_id,
        defaults=defaults,
    )
    if not created and identity.display_name != name:
        Identity.objects.filter(pk=identity.pk).update(display_name=name)
    return identity.person


def _known_person(account: PlatformAccount, inbound: InboundMessage) -> Person | None:
    identity = Identity.objects.select_related("person").filter(
        organization_id=account.organization_id, platform=account.platform, external_id=inbound.sender_id
    )
    found = identity.first()
    return found.person if found else None


def _find_replied(conversation: Conversation, external_id: str | None) -> int | None:
    """Return the message with this platform id, whether a person or the agent wrote it."""
    if not external_id:
        return None
    said = Message.objects.filter(conversation=conversation, external_id=external_id)
    sent = Delivery.objects.filter(message__conversation=conversation, platform_id=external_id)
    return said.values_list("pk", flat=True).first() or sent.values_list("message_id", flat=True).first()


def _log_ignored(inbound: InboundMessage, reason: str) -> None:
    log.info(
        "message_ignored",
        reason=reason,
        account_id=inbound.account_id,
        conversation=inbound.conversation_id,
        sender=inbound.sender_id,
    )
