"""Stopping agents: a pause, after which nothing new starts by itself, and the switch that stops everything at once.

While an agent is paused no run that it starts by itself can be claimed. What is queued of its looks and its scheduled jobs is
closed; workers on tasks stay queued, and begin when it goes on. What people say in conversations is answered all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from accounts.services import audit
from agents import queries
from agents.autonomy import settings
from agents.engine import wakeups
from agents.models import (
    LIVE_STATES,
    TERMINAL_STATES,
    Agent,
    Autonomy,
    AutonomyRule,
    Halt,
    Run,
    RunKind,
    RunState,
)
from realtime.services import unit_of_work

CLOSED = (RunKind.AUTONOMY, RunKind.CRON)
"""What a pause closes in the queue; a later wake or firing stands for it."""


def pause(actor: Actor, agent_id: int | None = None, *, reason: str = "") -> int:
    """Pause an agent, or all of the organization; return how many queued runs were closed. Twice changes nothing."""
    actor.check_level(Role.ADMIN)
    if agent_id is not None:
        settings.lock_autonomy(actor, agent_id)
    with unit_of_work():
        row = _row(actor, agent_id)
        if row.paused_at is None:
            row.paused_at, row.paused_by, row.paused_reason = timezone.now(), actor.user, reason[:300]
            row.save(update_fields=["paused_at", "paused_by", "paused_reason", "updated_at"])
            audit.record(actor, actor.organization, "autonomy.paused", _target(agent_id), reason=reason)
            settings.tell(actor.organization.pk, agent_id)
    queued = _runs(actor, agent_id).filter(kind__in=CLOSED, state=RunState.QUEUED)
    return len(_stop(queued, f"paused by {actor.user}"))


def resume(actor: Actor, agent_id: int | None = None) -> None:
    """Let an agent, or all of the organization, go on. What waits wakes them; an agent's rest after failures is over."""
    actor.check_level(Role.ADMIN)
    if agent_id is not None:
        settings.lock_autonomy(actor, agent_id)
    with unit_of_work():
        row = _row(actor, agent_id)
        if isinstance(row, Autonomy):
            row.failures_in_row, row.not_before = 0, None
        was_paused, row.paused_at, row.paused_by, row.paused_reason = (
            row.paused_at is not None,
            None,
            None,
            "",
        )
        row.save()
        if was_paused:
            audit.record(actor, actor.organization, "autonomy.resumed", _target(agent_id))
            settings.tell(actor.organization.pk, agent_id)


def halt(actor: Actor, agent_id: int | None = None, *, reason: str = "") -> Halt:
    """Stop everything an agent runs, or all agents of the organization, and pause them. `progress_of` tells the time it takes.

    What is queued or waits is closed at once; what is running is asked to stop, and does at its next token or within a second.
    """
    asked_at = timezone.now()
    pause(actor, agent_id, reason=reason or "everything was stopped")
    live = _runs(actor, agent_id).filter(state__in=LIVE_STATES)
    stopped = _stop(live, reason or f"everything was stopped by {actor.user}")
    with unit_of_work():
        row = Halt.objects.create(
            organization=actor.organization,
            agent_id=agent_id,
            by=actor.user,
            reason=reason[:300],
            run_ids=stopped,
            asked_at=asked_at,
        )
        audit.record(
            actor, actor.organization, "autonomy.halted", _target(agent_id), reason=reason, runs=len(stopped)
        )
        settings.tell(actor.organization.pk, agent_id)
    return row


@dataclass(frozen=True)
class Progress:
    """How far a halt is: `left` runs have not ended; `took` is the time to full stop, None until then."""

    count: int
    left: int
    took: timedelta | None


def progress_of(row: Halt) -> Progress:
    runs = Run.objects.filter(pk__in=row.run_ids)
    ended: list[datetime | None] = list(
        runs.filter(state__in=TERMINAL_STATES).values_list("finished_at", flat=True)
    )
    left = runs.filter(state__in=LIVE_STATES).count()
    last = max((each for each in ended if each is not None), default=row.asked_at)
    return Progress(len(row.run_ids), left, None if left else max(last - row.asked_at, timedelta()))


def latest_halt(actor: Actor, agent_id: int | None) -> Halt | None:
    """Return the last halt that concerned an agent, or the organization as a whole."""
    actor.check_level(Role.ADMIN)
    rows = Halt.objects.filter(organization=actor.organization).select_related("by")
    concerned = rows.filter(Q(agent_id=agent_id) | Q(agent=None)) if agent_id else rows.filter(agent=None)
    return concerned.order_by("-id").first()


def close_what_slipped() -> int:
    """Close what came into the queue of a paused agent while it was being paused; return how many."""
    queued = Run.objects.filter(state=RunState.QUEUED, kind__in=CLOSED)
    late = queued.filter(
        Q(agent__autonomy__paused_at__isnull=False)
        | Q(agent__organization__autonomy_rule__paused_at__isnull=False)
    )
    return len(_stop(late, "the agent is paused"))


def paused_agents(agent_ids: Iterable[int]) -> set[int]:
    """Return those of the agents that are paused, by themselves or with their organization; one query."""
    rows = Agent.objects.filter(pk__in=list(agent_ids)).filter(
        Q(autonomy__paused_at__isnull=False) | Q(organization__autonomy_rule__paused_at__isnull=False)
    )
    return set(rows.values_list("pk", flat=True))


def _row(actor: Actor, agent_id: int | None) -> Autonomy | AutonomyRule:
    if agent_id is None:
        return settings.lock_rule(actor)
    return Autonomy.objects.select_for_update().get(agent=queries.get_agent(actor, agent_id))


def _runs(actor: Actor, agent_id: int | None) -> QuerySet[Run]:
    rows = Run.objects.filter(organization=actor.organization)
    return rows.filter(agent=queries.get_agent(actor, agent_id)) if agent_id is not None else rows


def _stop(runs: QuerySet[Run], reason: str) -> list[int]:
    """Cancel runs, each in its own transaction under its conversation's lock; return those that were live."""
    from agents.services.runs import request_cancel

    stopped = []
    for run_id, conversation_id in list(runs.order_by("id").values_list("id", "conversation_id")):
        with unit_of_work():
            if conversation_id is not None:
                wakeups.hold_conversation(conversation_id)
            run = Run.objects.select_for_update(of=("self",)).select_related("conversation").get(pk=run_id)
            if run.state in LIVE_STATES:
                stopped.append(run_id)
                if not run.cancel_requested_at:
                    request_cancel(run, reason=reason)
    return stopped


def _target(agent_id: int | None) -> str:
    return f"agent:{agent_id}" if agent_id is not None else "organization"
