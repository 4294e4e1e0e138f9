"""Recording what happened, where it happens: in the transaction that makes it true.

Who may hear an event is decided here and never afterwards: those who may hear what was said where it happened. What
happens in a conversation that is not remembered leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from agents.context.days import day_of, load_zone
from agents.context.history import one_line
from agents.context.memory_mode import memory_mode
from agents.models import EventType, Synthesis, WorkingEvent
from agents.models.working import SUMMARY_CHARACTERS
from memory.types import HeardBy, conversation, person
from messaging.models import Conversation, ConversationKind, Participant

IMPORTANCE = {
    EventType.DECISION: 0.8,
    EventType.DECISION_REVISED: 0.8,
    EventType.USER_CORRECTION: 0.8,
    EventType.CONTRADICTION: 0.7,
    EventType.DEADLINE_SET: 0.8,
    EventType.BLOCKED_ON: 0.8,
    EventType.CONSTRAINT: 0.7,
    EventType.OUTCOME: 0.7,
    EventType.BRANCH_COMPLETED: 0.7,
    EventType.WORKER_STARTED: 0.6,
    EventType.WORKER_COMPLETED: 0.6,
    EventType.ERROR: 0.8,
    EventType.PROVIDER_TROUBLE: 0.7,
    EventType.CHECKPOINT_MADE: 0.3,
    EventType.PERSON_JOINED: 0.4,
    EventType.CONVERSATION_STARTED: 0.4,
}
DETAIL_CHARACTERS = 4_000


def record_event(
    type: EventType,
    summary: str,
    *,
    organization_id: int,
    agent_id: int,
    key: str,
    where: Conversation | None = None,
    heard_by: HeardBy | None = None,
    detail: str = "",
    importance: float | None = None,
    person_id: int | None = None,
    run_id: int | None = None,
    memory_id: int | None = None,
) -> None:
    """Write an event into the agent's log; the same `key` again changes nothing.

    `heard_by` says who may hear it; without it, those who take part where it happened. One of the two must be given:
    nothing is for everyone by default. Joins the caller's transaction; three or four queries.
    """
    if where is not None and not _is_kept(where):
        return
    if heard_by is None:
        if where is None:
            raise ValueError("an event needs an audience")
        heard_by = _heard_in(where)
    now = timezone.now()
    event = WorkingEvent(
        organization_id=organization_id,
        agent_id=agent_id,
        type=type,
        summary=one_line(summary, SUMMARY_CHARACTERS),
        detail=detail[:DETAIL_CHARACTERS],
        importance=IMPORTANCE.get(type, 0.5) if importance is None else importance,
        audience=heard_by.audience,
        audience_conversation_id=heard_by.conversation_id,
        audience_person_id=heard_by.person_id,
        conversation=where,
        person_id=person_id,
        run_id=run_id,
        memory_id=memory_id,
        key=key,
        day=day_of(now, load_zone(agent_id)),
        created_at=now,
    )
    WorkingEvent.objects.bulk_create([event], ignore_conflicts=True)


def withdraw(events: QuerySet[WorkingEvent]) -> int:
    """Delete events with every summary that tells them; return how many rows that were.

    The other events of such a summary are open again, and are summed up anew without the ones that went.
    """
    return withdraw_syntheses(
        row for row in events.values_list("synthesis_id", flat=True) if row is not None
    ) + _delete(events)


def withdraw_syntheses(ids: Iterable[int]) -> int:
    """Delete summaries, and those of the days into which they went."""
    told = set(ids)
    above = Synthesis.objects.filter(pk__in=told, rolled_into__isnull=False)
    told |= {row for row in above.values_list("rolled_into_id", flat=True) if row is not None}
    return _delete(Synthesis.objects.filter(pk__in=told)) if told else 0


def _delete(rows: QuerySet[WorkingEvent] | QuerySet[Synthesis]) -> int:
    return sum(count for label, count in rows.delete()[1].items() if label.startswith("agents."))


def withdraw_conversation(where: Conversation) -> None:
    """Take what happened in a conversation out of every log and summary, its own and those of the people in it."""
    withdraw(WorkingEvent.objects.filter(conversation=where))
    # Of old days the summary alone is left.
    Synthesis.objects.filter(audience_conversation=where).delete()


def _is_kept(where: Conversation) -> bool:
    """Read the mode anew: what a long run holds may be older than a person's choice."""
    now = Conversation.objects.only("settings").filter(pk=where.pk).first()
    return memory_mode(now) == "full"


def _heard_in(where: Conversation) -> HeardBy:
    """Return who may hear what happens here: the one person of a private conversation, else those who take part."""
    if where.kind == ConversationKind.DM:
        people = Participant.objects.filter(conversation_id=where.pk).values_list("person_id", flat=True)[:2]
        if len(alone := list(people)) == 1:
            return person(alone[0])
    return conversation(where.pk)
