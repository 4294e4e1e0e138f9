"""Saying something to an agent, from the web or from a platform."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.actor import Actor
from accounts.boundaries import reach
from accounts.errors import Conflict, InvalidInput
from accounts.models import Person
from accounts.services.people import person_for_user
from agents.engine import wakeups
from agents.models import Agent
from agents.questions.services import answer_by_message
from agents.services import happenings
from messaging import queries
from messaging.adapters.base import InboundMessage
from messaging.attachments import services as attachments
from messaging.models import Conversation, Handling, Message
from messaging.services.inbound import store_inbound
from messaging.services.messages import append_inbound
from realtime.services import unit_of_work


def send_message(
    actor: Actor,
    conversation_id: int,
    *,
    text: str,
    client_id: str | None = None,
    reply_to_id: int | None = None,
    attachment_ids: Sequence[int] = (),
) -> Message:
    """Store what the actor says, with files uploaded before, and make sure the agent looks at it.

    The same `client_id` again returns the first message. Raises NotFound for a conversation the actor cannot see,
    Conflict where the agent is off or the conversation archived, InvalidInput for text that cannot be stored.
    """
    conversation = queries.get_conversation(actor, conversation_id)
    check_open(conversation)
    if (
        reply_to_id is not None
        and not Message.objects.filter(pk=reply_to_id, conversation_id=conversation.pk).exists()
    ):
        raise InvalidInput("There is no such message in this conversation.", field="reply_to_id")
    person = person_for_user(actor.organization, actor.user)
    with unit_of_work():
        given = (
            attachments.claim(conversation, person, attachment_ids, client_id=client_id)
            if attachment_ids
            else []
        )
        message, created = append_inbound(
            conversation.pk,
            person=person,
            author_name=person.display_name,
            text=attachments.words_for(text, given),
            external_id=client_id,
            reply_to_id=reply_to_id,
            metadata={"attachments": [attachments.attachment_payload(each) for each in given]}
            if given
            else None,
        )
        if created:
            attachments.attach(given, message)
            _tell_of_first(conversation, message)
            if not _is_for_a_waiting_run(conversation, message, person):
                wakeups.ensure_channel_run(
                    conversation,
                    delay_s=wakeups.coalesce_delay_s(conversation),
                    user_id=actor.user.pk,
                    person_id=person.pk,
                )
        reach("message.stored")
    return message


def receive_message(inbound: InboundMessage) -> None:
    """Store a message from a platform and wake the agent it is for, in one transaction.

    A message that no binding lets in, or that came before, wakes nobody.
    """
    with unit_of_work():
        conversation, message, created = store_inbound(inbound)
        if conversation and message and created and message.handling == Handling.UNANSWERED:
            _tell_of_first(conversation, message)
            if not _is_for_a_waiting_run(conversation, message, message.person):
                wakeups.ensure_channel_run(
                    conversation, delay_s=wakeups.coalesce_delay_s(conversation), person_id=message.person_id
                )


def _is_for_a_waiting_run(conversation: Conversation, message: Message, person: Person | None) -> bool:
    """Say whether a message answered a question that a run waits for, so that the channel need not answer it."""
    question = answer_by_message(conversation, message, person)
    return question is not None and question.waits


def _tell_of_first(conversation: Conversation, message: Message) -> None:
    if message.seq == 1:
        happenings.conversation_started(conversation, message)


def check_open(conversation: Conversation) -> None:
    if not Agent.objects.filter(pk=conversation.agent_id, enabled=True).exists():
        raise Conflict("This agent is switched off.")
