"""Reads about agents that work by themselves: their runs, what these cost and started, and who is paused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum

from accounts.actor import Actor
from accounts.models import Role
from agents.autonomy.levels import Standing, lower
from agents.autonomy.settings import get_rule
from agents.models import LIVE_STATES, Agent, Autonomy, AutonomyRule, Run, RunKind, Step
from agents.queries import get_agent
from tasks.models import Attempt, Level

MOST = 100


@dataclass(frozen=True)
class Started:
    """A task on which a run set a worker, and what became of that; `outcome` is empty while it is under way."""

    number: int
    outcome: str


@dataclass(frozen=True)
class Look:
    """One autonomous run. `cost_usd` is None where the cost of a step is not known."""

    run: Run
    cost_usd: Decimal | None
    started: list[Started] = field(default_factory=list)

    @property
    def level(self) -> str:
        return str(self.run.input.get("level", ""))

    @property
    def summary(self) -> str:
        return str(self.run.result.get("summary", "") if self.run.result else "")

    @property
    def actions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.run.result.get("actions", []) if self.run.result else []
        return found

    @property
    def failure(self) -> str:
        return str((self.run.failure or {}).get("message", "") or self.run.cancel_reason)


def list_looks(actor: Actor, agent_id: int, *, before: int | None = None, limit: int = 20) -> list[Look]:
    """Return an agent's autonomous runs, newest first; three queries. For administrators."""
    actor.check_level(Role.ADMIN)
    rows = Run.objects.filter(agent=get_agent(actor, agent_id), kind=RunKind.AUTONOMY)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    runs = list(rows.order_by("-id")[: max(1, min(limit, MOST + 1))])
    costs, started = _costs(runs), started_by(runs)
    return [Look(run, costs.get(run.pk, Decimal(0)), started.get(run.pk, [])) for run in runs]


def started_by(runs: list[Run]) -> dict[int, list[Started]]:
    """Return the tasks that runs set workers on, by run id. The number of a task says nothing of its words."""
    workers = Run.objects.filter(parent__in=runs, kind=RunKind.WORKER)
    rows = Attempt.objects.filter(run_id__in=workers.values("pk")).order_by("pk")
    parents = dict(workers.values_list("pk", "parent_id")) if runs else {}
    found: dict[int, list[Started]] = {}
    for run_id, number, outcome in rows.values_list("run_id", "task__number", "outcome"):
        found.setdefault(parents[run_id], []).append(Started(number, outcome))
    return found


def _costs(runs: list[Run]) -> dict[int, Decimal | None]:
    rows = Step.objects.filter(run__in=runs).values("run_id")
    sums = rows.annotate(cost=Sum("cost_usd"), unknown=Count("pk", filter=Q(cost_usd=None)))
    return {each["run_id"]: None if each["unknown"] else each["cost"] for each in sums}


@dataclass(frozen=True)
class Worker:
    """One agent in the list of all: `row` is unsaved where nobody has let it go yet."""

    agent: Agent
    row: Autonomy
    standing: Standing
    last_at: datetime | None
    is_working: bool


def list_workers(actor: Actor) -> list[Worker]:
    """Return every agent of the organization with how far it goes by itself; three queries. For administrators."""
    actor.check_level(Role.ADMIN)
    rule = get_rule(actor)
    agents = Agent.objects.filter(organization=actor.organization).select_related("autonomy__paused_by")
    runs = Run.objects.filter(organization=actor.organization, kind=RunKind.AUTONOMY).values("agent_id")
    facts = {
        each["agent_id"]: each
        for each in runs.annotate(
            last_at=Max("created_at"), live=Count("pk", filter=Q(state__in=LIVE_STATES))
        )
    }
    return [_worker(agent, rule, facts.get(agent.pk, {})) for agent in agents.order_by("name", "id")]


def _worker(agent: Agent, rule: AutonomyRule, facts: Mapping[str, Any]) -> Worker:
    row = getattr(agent, "autonomy", None) or Autonomy(organization_id=agent.organization_id, agent=agent)
    is_paused = row.paused_at is not None or rule.paused_at is not None
    standing = Standing(lower(row.level, rule.ceiling), is_paused)
    return Worker(agent, row, standing, facts.get("last_at"), bool(facts.get("live")))


@dataclass(frozen=True)
class Paused:
    """What is paused now: everything, or these agents."""

    rule: AutonomyRule | None
    rows: list[Autonomy]


def list_paused(actor: Actor) -> Paused:
    """Return what every member may know: who was paused, by whom, and why; two queries."""
    rule = get_rule(actor)
    rows = Autonomy.objects.filter(organization=actor.organization, paused_at__isnull=False)
    found = list(
        rows.exclude(level=Level.OFF).select_related("agent", "paused_by").order_by("agent__name")[:MOST]
    )
    return Paused(rule if rule.paused_at else None, found)
