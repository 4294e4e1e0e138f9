"""A conversation as a reader sees it: messages in order, between them branches, workers and what was summarised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from accounts.actor import Actor
from agents.models import LIVE_STATES, Checkpoint, Run, RunKind, RunState
from agents.payloads import run_payload
from agents.queries import current_tools, readable_runs
from messaging.markdown import render
from messaging.models import Conversation, Delivery, DeliveryState, Direction, Message
from spacebot_site.web.message_parts import quote_of, reactions_of
from spacebot_site.web.question_parts import questions_at
from spacebot_site.web.schedule_parts import schedule_card
from tasks.models import Schedule
from tasks.queries.schedules import schedules_of

PAGE = 50
CARDS = (RunKind.BRANCH, RunKind.WORKER, RunKind.COLLEAGUE)
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
WAITING_WORDS = {"approval": "Waiting for approval", "question": "Waiting for an answer"}
OUTCOME_WORDS = {"partial": "Partly done", "failed": "Did not work out"}


@dataclass
class Timeline:
    """`items` are dicts with a `message`, a `card`, a `schedule` or a `checkpoint`.

    `older_seq` asks for the page before, None at the start.

    `live_run_id` is the channel's run, while it is answering.
    """

    items: list[dict[str, Any]]
    older_seq: int | None
    live_run_id: int | None


def load(actor: Actor, conversation: Conversation, *, before_seq: int | None = None) -> Timeline:
    """Return one page of a conversation that the actor was let into; six queries."""
    found = _messages(conversation, before_seq)
    has_older, messages = len(found) > PAGE, found[-PAGE:]
    runs = _runs(actor, conversation, messages, newest=before_seq is None, all_from_start=not has_older)
    reactions = reactions_of(messages, user_id=actor.user.pk)
    questions = questions_at(messages)
    children = [run for run in runs if run.kind in CARDS]
    running = [run.pk for run in children if run.state == RunState.RUNNING]
    tools = current_tools(running) if running else {}
    entries: list[tuple[datetime, int, dict[str, Any]]] = [
        (run.created_at, run.pk, {"card": card(run, tools.get(run.pk, ""))}) for run in children
    ]
    entries += [
        (each.created_at, each.pk, {"schedule": schedule_card(actor, each)})
        for each in _proposals(
            actor, conversation, messages, newest=before_seq is None, all_from_start=not has_older
        )
    ]
    entries += [
        (
            each.created_at,
            each.seq,
            {"message": _shown(each, reactions.get(each.pk, []), questions.get(each.pk))},
        )
        for each in messages
    ]
    items = [entry for _, _, entry in sorted(entries, key=lambda each: each[:2])]
    items = _with_checkpoints(items, conversation, messages)
    _join(items)
    live = next((run.pk for run in runs if run.kind == RunKind.CHANNEL), None)
    return Timeline(items, messages[0].seq if has_older else None, live)


def _with_checkpoints(
    items: list[dict[str, Any]], conversation: Conversation, messages: list[Any]
) -> list[dict[str, Any]]:
    """Put each summary of messages behind the last message that it stands for."""
    if not messages:
        return items
    rows = Checkpoint.objects.filter(
        conversation=conversation, level=0, to_seq__range=(messages[0].seq, messages[-1].seq)
    )
    ends = {row.to_seq: row for row in rows}
    found: list[dict[str, Any]] = []
    for item in items:
        found.append(item)
        if "message" in item and item["message"]["seq"] in ends:
            found.append({"checkpoint": ends[item["message"]["seq"]]})
    return found


def _messages(conversation: Conversation, before_seq: int | None) -> list[Any]:
    """Return up to one more than a page, in order, each with why its delivery failed, if it did."""
    failed = Delivery.objects.filter(message=OuterRef("pk"), state=DeliveryState.FAILED)
    found = (
        Message.objects.filter(conversation=conversation)
        .select_related("reply_to")
        .annotate(failure=Subquery(failed.values("error")[:1]))
    )
    if before_seq is not None:
        found = found.filter(seq__lt=before_seq)
    return list(found.order_by("-seq")[: PAGE + 1])[::-1]


def card(run: Run, tool: str = "") -> dict[str, Any]:
    """Return a run as its live card shows it."""
    live = run.state in LIVE_STATES
    words = STATE_WORDS[RunState(run.state)]
    if run.state == RunState.WAITING and run.waiting_for:
        words = WAITING_WORDS.get(run.waiting_for, words)
    if live:
        status = words if run.waiting_for and run.state == RunState.WAITING else run.status_text or words
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
    wanted = Q(kind__in=CARDS, report_to=None)
    if messages and not all_from_start:
        wanted &= Q(created_at__gte=messages[0].created_at)
    if messages and not newest:
        wanted &= Q(created_at__lte=messages[-1].created_at)
    if newest:
        wanted |= Q(kind=RunKind.CHANNEL, state__in=(RunState.QUEUED, RunState.RUNNING))
    runs = readable_runs(actor).filter(wanted, conversation_id=conversation.pk)
    return list(runs.order_by("-id")[:PAGE])


def _proposals(
    actor: Actor, conversation: Conversation, messages: list[Message], *, newest: bool, all_from_start: bool
) -> list[Schedule]:
    """Return what the agent proposed to run, among these messages."""
    rows = schedules_of(actor).filter(conversation_id=conversation.pk, proposed_by_run_id__isnull=False)
    if messages and not all_from_start:
        rows = rows.filter(created_at__gte=messages[0].created_at)
    if messages and not newest:
        rows = rows.filter(created_at__lte=messages[-1].created_at)
    return list(rows.order_by("-pk")[:PAGE])


def _shown(message: Any, reactions: list[dict[str, Any]], question: dict[str, Any] | None) -> dict[str, Any]:
    outbound = message.direction == Direction.OUTBOUND
    return {
        "id": message.pk,
        "seq": message.seq,
        "outbound": outbound,
        "author": message.author_name,
        "author_key": "agent" if outbound else f"person-{message.person_id}",
        "person_id": message.person_id,
        "html": render(message.text),
        "question": question,
        "attachments": message.metadata.get("attachments", ()),
        "conversation_id": message.conversation_id,
        "run_id": message.run_id,
        "at": message.created_at,
        "failed": message.failure is not None,
        "failure": message.failure or "",
        "reactions": reactions,
        "quote": quote_of(message.reply_to) if message.reply_to else None,
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
