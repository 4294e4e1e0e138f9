"""Reads for administrators: jobs, log, circuits, and figures about runs. Nothing here returns what was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum, Value
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from agents.models import (
    TERMINAL_STATES,
    Agent,
    Breaker,
    BreakerState,
    CortexJob,
    CortexLog,
    Profile,
    Run,
    RunState,
)
from agents.queries import get_agent
from llm.models import LedgerEntry
from messaging.models import Delivery, DeliveryState, Handling, Message

READ, WRITE = "cortex:read", "cortex:write"
BAD_STATES = (RunState.FAILED, RunState.TIMED_OUT, RunState.INTERRUPTED)
MOST_LINES = 200
MOST_GROUPS = 40


def list_jobs(actor: Actor, agent_id: int) -> list[CortexJob]:
    actor.check_scope(READ)
    return list(CortexJob.objects.filter(agent=get_agent(actor, agent_id)).order_by("name"))


def get_job(actor: Actor, agent_id: int, name: str) -> CortexJob:
    actor.check_scope(READ)
    job = CortexJob.objects.filter(agent=get_agent(actor, agent_id), name=name).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


def list_log(
    actor: Actor, agent_id: int, *, alarms_only: bool = False, before: int | None = None, limit: int = 50
) -> list[CortexLog]:
    """Return lines, newest first; `before` is the id where the page before ended."""
    actor.check_scope(READ)
    rows = CortexLog.objects.filter(agent=get_agent(actor, agent_id))
    if alarms_only:
        rows = rows.filter(is_alarm=True)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: max(1, min(limit, MOST_LINES))])


def list_breakers(actor: Actor, agent_id: int) -> list[Breaker]:
    """Return the tools that failed lately: those cut off first."""
    actor.check_scope(READ)
    rows = Breaker.objects.filter(agent=get_agent(actor, agent_id))
    return list(rows.filter(Q(failures__gt=0) | ~Q(state=BreakerState.CLOSED)).order_by("-state", "tool"))


def get_breaker(actor: Actor, agent_id: int, breaker_id: int) -> Breaker:
    actor.check_scope(READ)
    row = Breaker.objects.filter(agent=get_agent(actor, agent_id), pk=breaker_id).first()
    if row is None:
        raise NotFound("There is no such circuit.")
    return row


def find_profile(actor: Actor, agent_id: int) -> Profile | None:
    """Return how an agent introduces itself, to any member."""
    return Profile.objects.filter(agent=get_agent(actor, agent_id)).first()


def list_trouble(actor: Actor, *, limit: int = 6) -> list[dict[str, Any]]:
    """Return what is out of order now, for the home page: tools that are cut off and jobs that keep failing.

    Empty for who is no administrator.
    """
    if not actor.has_level(Role.ADMIN):
        return []
    cut_off = Breaker.objects.filter(organization=actor.organization).exclude(state=BreakerState.CLOSED)
    failing = CortexJob.objects.filter(organization=actor.organization, failures__gte=3)
    who = ("agent__slug", "agent__name", "failures")
    tools = cut_off.order_by("-opened_at").values_list(*who, Value(True), "tool", "opened_at")[:limit]
    jobs = failing.order_by("-last_started_at").values_list(*who, Value(False), "name", "last_started_at")
    found = sorted(tools.union(jobs[:limit], all=True), key=lambda row: not row[3])
    return [
        {
            "agent": Agent(slug=slug, name=name),
            "at": at,
            "text": f"The tool {what} is switched off: it failed {failures} times"
            if is_tool
            else f"The job {what} failed {failures} times in a row",
        }
        for slug, name, failures, is_tool, what, at in found[:limit]
    ]


def runs_to_administer(actor: Actor, *, agent_id: int | None = None) -> QuerySet[Run]:
    """Return every run of the organization. Who reads their words must ask `readable_runs` first."""
    actor.check_level(Role.ADMIN)
    rows = Run.objects.filter(organization=actor.organization).select_related("agent")
    return rows if agent_id is None else rows.filter(agent_id=agent_id)


def count_live(actor: Actor) -> list[dict[str, Any]]:
    rows = runs_to_administer(actor).exclude(state__in=TERMINAL_STATES)
    grouped = rows.order_by("kind", "state").values("kind", "state").annotate(count=Count("pk"))
    return [dict(row) for row in grouped]


def count_failures(actor: Actor, *, since: datetime, agent_id: int | None = None) -> list[dict[str, Any]]:
    """Return failed runs by agent, kind, state and class of failure, with the last one's number; most first."""
    rows = runs_to_administer(actor, agent_id=agent_id).filter(state__in=BAD_STATES, finished_at__gte=since)
    grouped = rows.order_by().values("agent__slug", "kind", "state", "failure__class")
    found = grouped.annotate(count=Count("pk"), last=Max("pk")).order_by("-count", "-last")
    return [dict(row) for row in found[:MOST_GROUPS]]


def count_refused_requests(actor: Actor, *, since: datetime) -> list[dict[str, Any]]:
    """Return requests to models that did not succeed, by model and outcome."""
    actor.check_level(Role.ADMIN)
    rows = LedgerEntry.objects.filter(organization=actor.organization, created_at__gte=since).exclude(
        outcome="succeeded"
    )
    grouped = rows.order_by().values("provider_name", "model_asked", "outcome")
    found = grouped.annotate(count=Count("pk"), last=Max("created_at")).order_by("-count")
    return [dict(row) for row in found[:MOST_GROUPS]]


def costs(actor: Actor, *, since: datetime, by: Sequence[str]) -> list[dict[str, Any]]:
    """Return requests, tokens and cost; `unpriced` counts requests whose cost is unknown."""
    actor.check_level(Role.ADMIN)
    rows = LedgerEntry.objects.filter(organization=actor.organization, created_at__gte=since)
    grouped = (
        rows.order_by()
        .values(*by)
        .annotate(
            requests=Count("pk"),
            tokens_in=Sum("input_tokens"),
            tokens_out=Sum("output_tokens"),
            unpriced=Count("pk", filter=Q(cost_usd=None)),  # Before the sum, which takes the column's name.
            cost_usd=Sum("cost_usd"),
        )
    )
    return [dict(row) for row in grouped.order_by("-requests")[:MOST_GROUPS]]


def list_unanswered(actor: Actor, *, older_than: timedelta) -> list[dict[str, Any]]:
    """Return conversations in which somebody waits for an answer: how many messages, and since when."""
    actor.check_level(Role.ADMIN)
    rows = Message.objects.filter(
        organization=actor.organization,
        handling=Handling.UNANSWERED,
        created_at__lt=timezone.now() - older_than,
    )
    grouped = (
        rows.order_by()
        .values("conversation_id", "conversation__account__platform")
        .annotate(count=Count("pk"), newest=Max("created_at"))
    )
    return [dict(row) for row in grouped.order_by("newest")[:MOST_GROUPS]]


def list_open_deliveries(actor: Actor, *, since: datetime) -> list[Delivery]:
    """Return deliveries that are under way or failed, without their text."""
    actor.check_level(Role.ADMIN)
    rows = Delivery.objects.filter(organization=actor.organization, created_at__gte=since).exclude(
        state=DeliveryState.DELIVERED
    )
    return list(
        rows.defer("text").select_related("message__conversation__account").order_by("-pk")[:MOST_GROUPS]
    )
