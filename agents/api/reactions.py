"""Emoji on messages over HTTP."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status

from accounts.api_basics import Id, Needs, actor_of
from messaging.services import reactions as services

router = Router(tags=["messages"])
PATH = "/messages/{message_id}/reactions/{emoji}"
WRITE = "conversations:write"


@router.put(PATH, response={204: None}, auth=Needs(WRITE))
def add_reaction(request: HttpRequest, message_id: Id, emoji: str) -> Status[None]:
    """Put an emoji on a message of one of your conversations; once is enough."""
    services.add_reaction(actor_of(request), message_id, emoji=emoji)
    return Status(204, None)


@router.delete(PATH, response={204: None}, auth=Needs(WRITE))
def remove_reaction(request: HttpRequest, message_id: Id, emoji: str) -> Status[None]:
    """Take your own emoji back."""
    services.remove_reaction(actor_of(request), message_id, emoji=emoji)
    return Status(204, None)
