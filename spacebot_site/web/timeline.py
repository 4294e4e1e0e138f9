"""A conversation as a reader sees it: messages in order, with the branches and workers between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from accounts.actor import Actor
from agents.models import LIVE_STATES, Run, RunKind, RunState
from agents.payloads import run_payload
from agents.queries import current_tools, readable_runs
from messaging.markdown import render
from messaging.models import Conversation, Delivery, DeliveryState, Direction, Message, Reaction

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
OUTCOME_WORDS = {"partial": "Partly done", "failed": "Did not work out"}


@dataclass
class Timeline:
    """`items` are dicts with a `message` or a `card`; `older_seq` asks for the page before, None at the start.

    `live_run_id` is the channel's run, while it is answering.
    """

    items: list[dict[str, Any]]
    older_seq: int | None
    live_run_id: int | None


def load(actor: Actor, conversation: Conversation, *, before_seq: int | None = None) -> Timeline:
    """Return one page of a conversation that the actor was let into; four queries."""
    found = _messages(conversation, before_seq)
    has_older, messages = len(found) > PAGE, found[-PAGE:]
    runs = _runs(actor, conversation, messages, newest=before_seq is None, all_from_start=not has_older)
    reactions: dict[int, list[Reaction]] = {}
    for reaction in Reaction.objects.filter(message__in=messages).select_related("person").order_by("id"):
        reactions.setdefault(reaction.message_id, []).append(reaction)
    children = [run for run in runs if run.kind != RunKind.CHANNEL]
    running = [run.pk for run in children if run.state == RunState.RUNNING]
    tools = current_tools(running) if running else {}
    entries: list[tuple[datetime, int, dict[str, Any]]] = [
        (run.created_at, run.pk, {"card": card(run, tools.get(run.pk, ""))}) for run in children
    ]
    entries += [(each.created_at, each.seq, {"message": _shown(each, reactions)}) for each in messages]
    items = [entry for _, _, entry in sorted(entries, key=lambda each: each[:2])]
    _join(items)
    live = next((run.pk for run in runs if run.kind == RunKind.CHANNEL), None)
    return Timeline(items, messages[0].seq if has_older else None, live)


def _messages(conversation: Conversation, before_seq: int | None) -> list[Any]:
    """Return up to one more than a page, in order, each with why its delivery failed, if it did."""
    failed = Delivery.objects.filter(message=OuterRef("pk"), state=DeliveryState.FAILED)
    found = Message.objects.filter(conversation=conversation).annotate(
        failure=Subquery(failed.values("error")[:1])
    )
    if before_seq is not None:
        found = found.filter(seq__lt=before_seq)
    return list(found.order_by("-seq")[: PAGE + 1])[::-1]


def card(run: Run, tool: str = "") -> dict[str, Any]:
    """Return a run as its live card shows it."""
    live = run.state in LIVE_STATES
    words = STATE_WORDS[RunState(run.state)]
    if live:
        status = run.status_text or words
    elif run.state in (RunState.FAILED, RunState.TIMED_OUT):
        status = run_payload(run)["failure"] or words
    else:
        status = OUTCOME_WORDS.get(run.outcome, words) if run.state == RunState.SUCCEEDED else words
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
    """Return the branches and workers among these messages, and the channel's run if it is live."""
    wanted = ~Q(kind=RunKind.CHANNEL)
    if messages and not all_from_start:
        wanted &= Q(created_at__gte=messages[0].created_at)
    if messages and not newest:
        wanted &= Q(created_at__lte=messages[-1].created_at)
    if newest:
        wanted |= Q(kind=RunKind.CHANNEL, state__in=(RunState.QUEUED, RunState.RUNNING))
    runs = readable_runs(actor).filter(wanted, conversation_id=conversation.pk)
    return list(runs.order_by("-id")[:PAGE])


def _shown(message: Any, reactions: dict[int, list[Reaction]]) -> dict[str, Any]:
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
        "failed": message.failure is not None,
        "failure": message.failure or "",
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
