"""What stands at a message: the one it answers, and the reactions to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import unescape
from typing import Any

from django.utils.html import strip_tags

from messaging.markdown import render
from messaging.models import Message, Reaction

QUOTED = 160
AGENT = "agent"


def quote_of(message: Message) -> dict[str, Any]:
    """Return who said it and how it begins, in one line without markup."""
    words = unescape(strip_tags(render(message.text[: QUOTED * 4]))).split()
    text = " ".join(words)
    short = text if len(text) <= QUOTED else f"{text[: QUOTED - 1].rstrip()}…"
    return {"id": message.pk, "author": message.author_name, "text": short}


def reactions_of(messages: Iterable[Message], *, user_id: int) -> dict[int, list[dict[str, Any]]]:
    """Return for each message its emoji in order, with who put them there; one query.

    `by` is JSON for the page's script: names by who, which is `person-<id>` or `agent`.
    """
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for each in Reaction.objects.filter(message__in=list(messages)).select_related("person").order_by("id"):
        chips = found.setdefault(each.message_id, {})
        chip = chips.setdefault(each.emoji, {"emoji": each.emoji, "names": {}, "mine": False})
        who = f"person-{each.person_id}" if each.person_id else AGENT
        chip["names"][who] = each.person.display_name if each.person else "the agent"
        chip["mine"] |= bool(each.person and each.person.user_id == user_id)
    return {
        message_id: [
            {**chip, "count": len(chip["names"]), "by": json.dumps(chip["names"])} for chip in chips.values()
        ]
        for message_id, chips in found.items()
    }
