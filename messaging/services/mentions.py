"""Who is called by name in a message gets a notice, if they take part."""

from __future__ import annotations

import re

from messaging.models import Message, Participant
from realtime.models import NoticeKind
from realtime.notices.services import Subject, notify

NAME = re.compile(r"(?<![\w.])@(\w[\w.-]{0,79})")
SHOWN = 300


def tell_mentioned(message: Message) -> list[int]:
    """Tell the people whom `@name` calls, other than the author; return their users.

    A name is a person's first one, all of it without blanks, or what stands before the @ of their address. Joins the
    caller's unit of work; a text without an @ costs nothing.
    """
    called = {name.casefold().rstrip(".-") for name in NAME.findall(message.text)}
    if not called:
        return []
    rows = Participant.objects.filter(conversation_id=message.conversation_id, person__user__isnull=False)
    users = [
        user_id
        for person_id, user_id, name, email in rows.values_list(
            "person_id", "person__user_id", "person__display_name", "person__user__email"
        )
        if person_id != message.person_id and called & _names(name, email)
    ]
    return notify(
        message.organization_id,
        users,
        kind=NoticeKind.MENTION,
        key=f"mention:{message.conversation_id}",
        title=f"{message.author_name} mentioned you",
        text=message.text[:SHOWN],
        subject=Subject("conversation", message.conversation_id),
        conversation_id=message.conversation_id,
    )


def _names(name: str, email: str) -> set[str]:
    words = name.casefold().split() or [""]
    return {words[0], "".join(words), email.casefold().partition("@")[0]} - {""}
