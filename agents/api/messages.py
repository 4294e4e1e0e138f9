"""Saying something and hearing the answer over HTTP.

Waiting holds no thread and no database connection: it listens to the same events as browsers do.
"""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from accounts.actor import Actor
from accounts.api_basics import Id, Limit, Needs, Page, actor_of, read_cursor
from agents.models import LIVE_STATES
from agents.queries import is_settled, list_runs
from agents.services.conversations import send_message
from messaging import queries
from messaging.api import MessageIn, MessageOut, SentOut
from messaging.models import Direction, Handling, Message
from messaging.payloads import message_payload
from realtime.api import NeedsFromCoroutine
from realtime.hub import Listener, current_hub
from realtime.threads import in_thread

router = Router(tags=["messages"])

LOOK_AGAIN_S = 5.0
MAY_SETTLE = frozenset({"message.created", "message.handled"})
"""A channel run that ends tells so by its reply, or by what became of the messages."""
PATH = "/conversations/{conversation_id}/messages"


@router.get(PATH, response=Page[MessageOut], auth=Needs("conversations:read"))
def list_messages(
    request: HttpRequest,
    conversation_id: Id,
    cursor: str | None = None,
    after_seq: int | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """The newest messages in their order; `next` leads to older ones, or to newer ones after `after_seq`."""
    actor, before = actor_of(request), read_cursor(cursor)
    conversation = queries.get_conversation(actor, conversation_id)
    if after_seq is not None:
        after = max(after_seq, before or 0)
        rows = queries.list_messages(actor, conversation, after_seq=after, limit=limit)
        more = bool(rows) and rows[-1].seq < conversation.last_seq
        return {"items": [message_payload(row) for row in rows], "next": str(rows[-1].seq) if more else None}
    rows = queries.list_messages(actor, conversation, before_seq=before, limit=limit)
    more = bool(rows) and rows[0].seq > 1
    return {"items": [message_payload(row) for row in rows], "next": str(rows[0].seq) if more else None}


@router.post(PATH, response={201: SentOut}, auth=NeedsFromCoroutine("conversations:write"))
async def send(
    request: HttpRequest,
    conversation_id: Id,
    body: MessageIn,
    wait_s: Annotated[float, Field(ge=0, le=300)] = 0,
) -> HttpResponse:
    """Say something; with `wait_s`, answer when the agent has nothing more to do for it, or the time is up.

    The same `client_id` again returns the message that was stored the first time.
    """
    actor, started = actor_of(request), time.monotonic()
    if not wait_s:
        message = await in_thread(_send, actor, conversation_id, body)
        return _answer(message_payload(message), [], settled=False, reason="Not waited for.")
    hub, listener = current_hub(), Listener()
    await hub.join(actor.organization.pk, listener)
    try:
        message = await in_thread(_send, actor, conversation_id, body)
        settled = await _settle(listener, conversation_id, started + wait_s)
    finally:
        hub.leave(actor.organization.pk, listener)
    told, replies, reason = await in_thread(_outcome, actor, message, settled)
    return _answer(told, replies, settled=settled, reason=reason)


def _send(actor: Actor, conversation_id: int, body: MessageIn) -> Message:
    return send_message(
        actor,
        conversation_id,
        text=body.text,
        client_id=body.client_id,
        reply_to_id=body.reply_to_id,
        attachment_ids=body.attachment_ids,
    )


async def _settle(listener: Listener, conversation_id: int, until: float) -> bool:
    """Wait until nothing is under way in the conversation; False when the time is up first."""
    look = True
    while True:
        if look and await in_thread(is_settled, conversation_id):
            return True
        left = until - time.monotonic()
        if left <= 0:
            return False
        frames = await listener.take(min(left, LOOK_AGAIN_S))
        look = not frames or listener.fell_behind
        for frame in frames:
            if frame.conversation_id != conversation_id:
                continue
            if frame.kind in MAY_SETTLE:
                look = True
            elif frame.kind == "run.changed":
                look = look or json.loads(frame.text)["payload"]["run"]["state"] not in LIVE_STATES


def _outcome(
    actor: Actor, message: Message, settled: bool
) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """Return the message as it is now, the replies since, and why there is none."""
    conversation = queries.get_conversation(actor, message.conversation_id)
    rows = queries.list_messages(actor, conversation, after_seq=message.seq - 1, limit=100)
    replies = [message_payload(row) for row in rows if row.direction == Direction.OUTBOUND]
    now = next((row for row in rows if row.pk == message.pk), message)
    return message_payload(now), replies, "" if replies else _silence(actor, now, settled)


def _silence(actor: Actor, message: Message, settled: bool) -> str:
    if message.handling_reason:
        return message.handling_reason
    if message.handling == Handling.SKIPPED:
        return "The agent read it and chose not to answer."
    if not settled:
        return "The time was up before the agent answered."
    runs = list_runs(actor, conversation_id=message.conversation_id, kind="channel", limit=1)
    failure = runs[0].failure or {} if runs else {}
    return str(failure.get("message") or "The agent had nothing to say.")


def _answer(
    message: dict[str, Any], replies: list[dict[str, Any]], *, settled: bool, reason: str
) -> HttpResponse:
    body = {"message": message, "replies": replies, "settled": settled, "reason": reason}
    text = json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(text, content_type="application/json", status=201)
