"""How the tools have been doing lately: what failed last, and which are cut off for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from agents.models import Breaker, BreakerState, CallState, ToolCall
from messaging.models import Participant

LATELY = timedelta(days=7)
MOST_SHOWN = 300


@dataclass
class ToolHealth:
    """`failures` of the last seven days, of runs whose record the reader may see; `cut_off` are circuits that are not closed."""

    failures: int = 0
    last_at: datetime | None = None
    last_text: str = ""
    last_run_id: int | None = None
    cut_off: list[Breaker] = field(default_factory=list)


def health_of(actor: Actor, *, agent_id: int | None = None) -> dict[str, ToolHealth]:
    """Return it by tool, for one agent or all; a tool without trouble is left out.

    What a call said is for those who were in the conversation when its run began. Circuits are for administrators.
    """
    actor.check_scope("agents:read")
    found: dict[str, ToolHealth] = {}
    failed = _failed_calls(actor, agent_id)
    for name, count in failed.values_list("name").annotate(count=Count("pk")).order_by("name"):
        found.setdefault(name, ToolHealth()).failures = count
    for call in failed.order_by("name", "-pk").distinct("name") if found else ():
        health = found.setdefault(call.name, ToolHealth())
        health.last_at, health.last_run_id = call.finished_at or call.started_at, call.run_id
        health.last_text = " ".join(call.result.split())[:MOST_SHOWN]
    if actor.has_level(Role.ADMIN):
        for breaker in _cut_off(actor, agent_id):
            found.setdefault(breaker.tool, ToolHealth()).cut_off.append(breaker)
    return found


def _failed_calls(actor: Actor, agent_id: int | None) -> QuerySet[ToolCall]:
    was_there = Participant.objects.filter(
        conversation_id=OuterRef("run__conversation_id"),
        person__user_id=actor.user.pk,
        joined_at__lte=OuterRef("run__created_at"),
    )
    rows = ToolCall.objects.filter(
        Exists(was_there),
        organization=actor.organization,
        state=CallState.FAILED,
        started_at__gte=timezone.now() - LATELY,
    )
    return rows if agent_id is None else rows.filter(run__agent_id=agent_id)


def _cut_off(actor: Actor, agent_id: int | None) -> QuerySet[Breaker]:
    rows = Breaker.objects.filter(organization=actor.organization).exclude(state=BreakerState.CLOSED)
    rows = rows if agent_id is None else rows.filter(agent_id=agent_id)
    return rows.select_related("agent").order_by("tool", "agent__name")
