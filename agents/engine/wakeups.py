"""Starting runs and nudging executors. A nudge is only a hint: losing it costs seconds, never a run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.boundaries import reach
from accounts.logs import get_logger
from agents.models import Agent, Run, RunKind, RunState
from agents.payloads import run_payload
from agents.services import happenings
from messaging.models import Conversation
from realtime.services import NewEvent, record

log = get_logger(__name__)

COALESCE_S = 1.5
COALESCE_MAX_S = 5.0
REPORT_DEBOUNCE_S = 0.5
CHANNEL_LIMIT_S = 600

RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.1}


def nudge(run_id: int, kind: str, conversation_id: int | None, *, delay_s: float = 0) -> None:
    """Ask an executor to look at a run, after commit. A broker that is down is logged; the sweeper asks again."""
    transaction.on_commit(lambda: _send(run_id, kind, conversation_id, delay_s))


def _send(run_id: int, kind: str, conversation_id: int | None, delay_s: float) -> None:
    from agents import jobs

    reach("nudge.before")
    try:
        jobs.execute.apply_async(
            args=(run_id, kind, conversation_id), countdown=delay_s, retry=True, retry_policy=RETRY_POLICY
        )
    except Exception as error:
        log.warning("nudge.lost", run=run_id, error=str(error))
    reach("nudge.after")


INSERT_CHANNEL = """
insert into agents_run (
    organization_id, agent_id, conversation_id, requester_user_id, requester_person_id, kind, state, interactive,
    title, input, due_at, coalesce_until, lease_owner, fence, cancel_reason, active_ms, active_limit_s, recoveries, waiting_for,
    status_text, outcome, result, created_at)
values (%(organization)s, %(agent)s, %(conversation)s, %(user)s, %(person)s, 'channel', 'queued', false,
    '', '{}', now() + %(delay)s * interval '1 second', now() + %(most)s * interval '1 second', '', 0, '', 0,
    %(limit)s, 0, '', '', '', '{}', now())
on conflict (conversation_id) where kind = 'channel' and state in ('queued', 'running', 'waiting') do nothing
returning id
"""

HOLD_BACK = """
update agents_run
   set due_at = least(now() + %(delay)s * interval '1 second', coalesce_until)
 where conversation_id = %(conversation)s and kind = 'channel' and state = 'queued' and due_at > now()
"""


def ensure_channel_run(
    conversation: Conversation,
    *,
    delay_s: float = 0,
    user_id: int | None = None,
    person_id: int | None = None,
) -> int | None:
    """Make sure that somebody will look at the conversation; return the new run's id, None if one is live.

    The caller holds the conversation's row lock, so a run that is ending either sees what was just written or has
    ended already. A live run takes what is new at its next step or leaves it to the run it starts when it ends.
    """
    values: dict[str, Any] = {
        "organization": conversation.organization_id,
        "agent": conversation.agent_id,
        "conversation": conversation.pk,
        "user": user_id,
        "person": person_id,
        "delay": delay_s,
        "most": COALESCE_MAX_S if delay_s else 0,
        "limit": CHANNEL_LIMIT_S,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_CHANNEL, values)
        row = cursor.fetchone()
        if row is None:
            if delay_s:
                cursor.execute(HOLD_BACK, values)
            return None
    nudge(row[0], RunKind.CHANNEL, conversation.pk, delay_s=delay_s)
    return int(row[0])


def start_child(
    parent: Run,
    *,
    kind: RunKind,
    task: str,
    key: str,
    active_limit_s: int,
    fork_seq: int | None = None,
    interactive: bool = False,
    agent_id: int | None = None,
    more: dict[str, Any] | None = None,
) -> Run:
    """Create a child run and nudge it; called twice with one `key` it returns the first. Records `run.changed`.

    `agent_id` lets another agent do it; the requester stays. `more` is kept beside the task.
    """
    existing = Run.objects.filter(origin_key=key).first()
    if existing is not None:
        return existing
    heard_by = parent if parent.kind == RunKind.CRON else parent.report_to
    child = Run.objects.create(
        organization_id=parent.organization_id,
        agent_id=agent_id or parent.agent_id,
        conversation_id=parent.conversation_id,
        parent=parent,
        report_to=heard_by if heard_by is not None and heard_by.is_live else None,
        requester_user_id=parent.requester_user_id,
        requester_person_id=parent.requester_person_id,
        kind=kind,
        title=task.strip().splitlines()[0][:200],
        input={"task": task, **(more or {})},
        origin_key=key,
        fork_seq=fork_seq,
        interactive=interactive,
        due_at=timezone.now(),
        active_limit_s=active_limit_s,
    )
    record(child.organization_id, run_changed(child))
    happenings.child_started(child)
    nudge(child.pk, kind, child.conversation_id)
    return child


def start_run(
    *,
    organization_id: int,
    agent: Agent,
    conversation_id: int | None,
    user_id: int,
    person_id: int,
    kind: RunKind,
    title: str,
    values: dict[str, Any],
    active_limit_s: int,
    parent: Run | None = None,
) -> Run:
    """Create and nudge a run that works for a person outside of a conversation's turn. Records `run.changed`."""
    run = Run.objects.create(
        organization_id=organization_id,
        agent=agent,
        conversation_id=conversation_id,
        parent=parent,
        requester_user_id=user_id,
        requester_person_id=person_id,
        kind=kind,
        title=title,
        input=values,
        due_at=timezone.now(),
        active_limit_s=active_limit_s,
    )
    record(run.organization_id, run_changed(run))
    nudge(run.pk, kind, run.conversation_id)
    return run


def start_upkeep(
    parent: Run, *, kind: RunKind, title: str, values: dict[str, Any], active_limit_s: int
) -> Run:
    """Create and nudge a run that nobody asked for and nobody is told of."""
    child = Run.objects.create(
        organization_id=parent.organization_id,
        agent_id=parent.agent_id,
        conversation_id=parent.conversation_id,
        parent=parent,
        kind=kind,
        title=title,
        input=values,
        due_at=timezone.now(),
        active_limit_s=active_limit_s,
    )
    nudge(child.pk, kind, child.conversation_id)
    return child


def start_alone(
    agent: Agent,
    *,
    kind: RunKind,
    conversation_id: int | None,
    title: str,
    values: dict[str, Any],
    active_limit_s: int,
) -> Run:
    """Create and nudge a run of the agent that no other run and nobody started."""
    run = Run.objects.create(
        organization_id=agent.organization_id,
        agent=agent,
        conversation_id=conversation_id,
        kind=kind,
        title=title,
        input=values,
        due_at=timezone.now(),
        active_limit_s=active_limit_s,
    )
    nudge(run.pk, kind, conversation_id)
    return run


def requeue(run: Run, *, due_at: datetime | None = None) -> None:
    """Put a waiting run back into the queue. The caller holds its row."""
    run.state, run.due_at = RunState.QUEUED, due_at or timezone.now()
    run.save(update_fields=["state", "due_at"])
    record(run.organization_id, run_changed(run))
    nudge(run.pk, run.kind, run.conversation_id)


def hold_conversation(conversation_id: int) -> None:
    """Lock the conversation's row until the transaction ends; it comes before every run's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select 1 from messaging_conversation where id = %s for no key update", [conversation_id]
        )


def nudge_next(conversation_id: int, kind: str) -> None:
    """Wake the oldest queued run of a kind: a place may have become free."""
    row = (
        Run.objects.filter(conversation_id=conversation_id, kind=kind, state=RunState.QUEUED)
        .order_by("id")
        .values_list("id", flat=True)
        .first()
    )
    if row is not None:
        nudge(row, kind, conversation_id)


QUEUED = """
select id, kind, conversation_id from (
    select id, kind, conversation_id from agents_run
     where state = 'queued' and kind = %s and due_at <= now() order by due_at, id limit 64) heads
 order by random() limit 1
"""


def find_queued(kind: RunKind) -> tuple[int, str, int | None] | None:
    """Return one of the runs of a kind that have waited longest; at random, so that many who ask go for different ones."""
    with connection.cursor() as cursor:
        cursor.execute(QUEUED, [kind])
        row = cursor.fetchone()
    return (int(row[0]), str(row[1]), row[2]) if row else None


def run_changed(run: Run) -> NewEvent:
    """Return the event of a run, for those in its conversation; without one, for whoever it works for."""
    return NewEvent(
        kind="run.changed",
        payload={"run": run_payload(run)},
        conversation_id=run.conversation_id,
        user_id=None if run.conversation_id else run.requester_user_id,
    )


def coalesce_delay_s(conversation: Conversation) -> float:
    """Return how long a new message waits for company: a private one never does."""
    return COALESCE_S if conversation.kind == "group" else 0.0
