"""The shapes in which the API answers and events tell of conversations and messages."""

from __future__ import annotations

from typing import Any

from messaging.markdown import render
from messaging.models import Conversation, Message


def message_payload(message: Message) -> dict[str, Any]:
    return {
        "id": message.pk,
        "conversation_id": message.conversation_id,
        "seq": message.seq,
        "direction": message.direction,
        "author_name": message.author_name,
        "person_id": message.person_id,
        "text": message.text,
        "html": render(message.text),
        "attachments": message.metadata.get("attachments", []),
        "reply_to_id": message.reply_to_id,
        "run_id": message.run_id,
        "handling": message.handling,
        "created_at": message.created_at.isoformat(),
    }


def conversation_payload(conversation: Conversation) -> dict[str, Any]:
    at = conversation.last_message_at
    return {
        "id": conversation.pk,
        "agent_id": conversation.agent_id,
        "kind": conversation.kind,
        "title": conversation.title,
        "archived": conversation.archived_at is not None,
        "memory": str(conversation.settings.get("memory", "full")),
        "last_seq": conversation.last_seq,
        "last_message_at": at.isoformat() if at else None,
    }
