"""Emoji that people put on messages, and take back."""

from __future__ import annotations

import unicodedata

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.services.people import person_for_user
from messaging.models import Message, Reaction
from messaging.queries import get_message
from realtime.services import NewEvent, record, unit_of_work

MAX_EMOJI_LENGTH = 12
MOST_BY_ONE = 20


def add_reaction(actor: Actor, message_id: int, *, emoji: str) -> Reaction:
    """Put an emoji on a message the actor may read; once is enough.

    Records `message.reacted` {message_id, emoji, by, person_id, on}.
    """
    _check_emoji(emoji)
    message = get_message(actor, message_id)
    person = person_for_user(actor.organization, actor.user)
    with unit_of_work():
        mine = Reaction.objects.filter(message=message, person=person)
        if mine.exclude(emoji=emoji).count() >= MOST_BY_ONE:
            raise Conflict(f"You have put {MOST_BY_ONE} reactions on this message already.")
        reaction, created = Reaction.objects.get_or_create(
            message=message, person=person, emoji=emoji, defaults={"organization": actor.organization}
        )
        if created:
            _tell(message, emoji, person.display_name, person.pk, on=True)
    return reaction


def remove_reaction(actor: Actor, message_id: int, *, emoji: str) -> None:
    """Take one's own emoji back; one that is not there is no error. Records `message.reacted` with `on` false."""
    message = get_message(actor, message_id)
    person = person_for_user(actor.organization, actor.user)
    with unit_of_work():
        gone, _ = Reaction.objects.filter(message=message, person=person, emoji=emoji).delete()
        if gone:
            _tell(message, emoji, person.display_name, person.pk, on=False)


def _tell(message: Message, emoji: str, by: str, person_id: int, *, on: bool) -> None:
    payload = {"message_id": message.pk, "emoji": emoji, "by": by, "person_id": person_id, "on": on}
    record(message.organization_id, NewEvent("message.reacted", payload, message.conversation_id))


def _check_emoji(emoji: str) -> None:
    """Refuse text: an emoji has a symbol in it, and neither letters nor blanks."""
    if len(emoji) > MAX_EMOJI_LENGTH or any(each.isalnum() or each.isspace() for each in emoji):
        raise InvalidInput("A reaction is one emoji.", field="emoji")
    if not any(unicodedata.category(each) in ("So", "Sk") for each in emoji):
        raise InvalidInput("A reaction is one emoji.", field="emoji")
