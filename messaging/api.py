"""The shapes in which conversations and messages go over HTTP; the routes are in `agents/api/`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from accounts.api_basics import Id, Strict
from messaging.attachments.limits import MOST_PER_MESSAGE
from messaging.models import Participant


class ConversationOut(Schema):
    id: int
    agent_id: int
    kind: str
    title: str
    archived: bool
    memory: str
    last_seq: int
    last_message_at: datetime | None


class ConversationIn(Strict):
    agent_id: Id
    kind: Literal["dm", "group"] = "dm"
    title: str = ""
    user_ids: list[Id] = Field(default=[], max_length=200)


class ConversationPatch(Strict):
    title: str | None = None
    archived: bool | None = None
    memory: Literal["full", "ambient", "off"] | None = None


class ParticipantOut(Schema):
    person_id: int
    user_id: int | None
    name: str
    joined_at: datetime


class ParticipantIn(Strict):
    user_id: Id


class AttachmentOut(Schema):
    """`media_type` is what the content is, whatever the name says."""

    id: int
    name: str
    media_type: str
    size_bytes: int


class MessageOut(Schema):
    id: int
    conversation_id: int
    seq: int
    direction: str
    author_name: str
    person_id: int | None
    text: str
    html: str
    attachments: list[AttachmentOut]
    reply_to_id: int | None
    run_id: int | None
    handling: str
    created_at: datetime


class MessageIn(Strict):
    """The text may be empty where files are sent."""

    text: str
    attachment_ids: list[Id] = Field(default=[], max_length=MOST_PER_MESSAGE)
    client_id: str | None = Field(default=None, min_length=1, max_length=100)
    reply_to_id: Id | None = None


class SentOut(Schema):
    """`replies` are what the agent said since; `settled` tells that nothing more is under way."""

    message: MessageOut
    replies: list[MessageOut]
    settled: bool
    reason: str


def participant_payload(participant: Participant) -> dict[str, Any]:
    return {
        "person_id": participant.person_id,
        "user_id": participant.person.user_id,
        "name": participant.person.display_name,
        "joined_at": participant.joined_at,
    }
