"""A conversation as a reader sees it: messages in order, with the branches and workers between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts.actor import Actor
from agents.models import LIVE_STATES, Run, RunKind, RunState
from agents.payloads import run_payload
from agents.queries import current_tools, readable_runs
from messaging.markdown import render
from messaging.models import Conversation, Delivery, DeliveryState, Direction, Message, Reaction
from messaging.queries import list_messages

PAGE = 50
JOIN = timedelta(minutes=5)
STATE_WORDS = {
    RunState.QUEUED: "Waiting to start",
    RunState.RUNNING: "Working",
    RunState.WAITING: "Waiting for input",
    RunState.SUCCEEDED: "Done",
    RunState.FAILED: "Failed",
    RunState.CANCELLED: "Cancelled",
    RunState.TIMED_OUT: "Ran out of time",
    RunState.INTERRUPTED: "Interrupted",
}


@dataclass
class Timeline:
    """`items` are dicts with a `message` or a `card`; `older_seq` asks for the page before, None at the start."""

    items: list[dict[str, Any]]
    older_seq: int | None


def load(actor: Actor, conversation: Conversation, *, before_seq: int | None = None) -> Timeline:
    """Return one page of the conversation; five queries."""
    found = list_messages(actor, conversation, before_seq=before_seq, limit=PAGE + 1)
    has_older, messages = len(found) > PAGE, found[-PAGE:]
    runs = _runs(actor, conversation, messages, newest=before_seq is None, all_from_start=not has_older)
    ids = [message.pk for message in messages]
    failed = dict(
        Delivery.objects.filter(message_id__in=ids, state=DeliveryState.FAILED).values_list(
            "message_id", "error"
        )
    )
    reactions: dict[int, list[Reaction]] = {}
    for reaction in Reaction.objects.filter(message_id__in=ids).select_related("person").order_by("id"):
        reactions.setdefault(reaction.message_id, []).append(reaction)
    tools = current_tools([run.pk for run in runs if run.state == RunState.RUNNING])
    entries: list[tuple[Any, int, dict[str, Any]]] = [
        (run.created_at, run.pk, {"card": card(run, tools.get(run.pk, ""))}) for run in runs
    ]
    entries += [
        (message.created_at, message.seq, {"message": _shown(message, failed, reactions)})
        for message in messages
    ]
    items = [entry for _, _, entry in sorted(entries, key=lambda each: each[:2])]
    _join(items)
    return Timeline(items, messages[0].seq if has_older else None)


def card(run: Run, tool: str = "") -> dict[str, Any]:
    """Return a run as its live card shows it."""
    live = run.state in LIVE_STATES
    words = STATE_WORDS[RunState(run.state)]
    if live:
        status = run.status_text or words
    elif run.state in (RunState.FAILED, RunState.TIMED_OUT):
        status = run_payload(run)["failure"] or words
    else:
        status = run.outcome if run.outcome and run.outcome != "done" else words
    return {
        "id": run.pk,
        "kind": run.kind,
        "state": run.state,
        "live": live,
        "title": run.title or ("Thinking" if run.kind == RunKind.BRANCH else "Working"),
        "status": status,
        "tool": tool if live else "",
        "since": (run.started_at or run.created_at).isoformat(),
        "until": run.finished_at.isoformat() if run.finished_at else "",
    }


def _runs(
    actor: Actor, conversation: Conversation, messages: list[Message], *, newest: bool, all_from_start: bool
) -> list[Run]:
    runs = readable_runs(actor).filter(conversation_id=conversation.pk).exclude(kind=RunKind.CHANNEL)
    if messages and not all_from_start:
        runs = runs.filter(created_at__gte=messages[0].created_at)
    if messages and not newest:
        runs = runs.filter(created_at__lte=messages[-1].created_at)
    return list(runs.order_by("-id")[:PAGE])


def _shown(message: Message, failed: dict[int, str], reactions: dict[int, list[Reaction]]) -> dict[str, Any]:
    outbound = message.direction == Direction.OUTBOUND
    return {
        "id": message.pk,
        "seq": message.seq,
        "outbound": outbound,
        "author": message.author_name,
        "author_key": "agent" if outbound else f"person-{message.person_id}",
        "person_id": message.person_id,
        "html": render(message.text),
        "run_id": message.run_id,
        "at": message.created_at,
        "failed": message.pk in failed,
        "failure": failed.get(message.pk, ""),
        "reactions": reactions.get(message.pk, []),
        "joined": False,
    }


def _join(items: list[dict[str, Any]]) -> None:
    """Mark messages that stand under the name of the one before."""
    before: dict[str, Any] | None = None
    for item in items:
        message = item.get("message")
        if message and before and before["author_key"] == message["author_key"]:
            message["joined"] = message["at"] - before["at"] < JOIN
        before = message
