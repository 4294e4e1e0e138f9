"""The policy that an organization's rows make for an agent, read when it counts."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from agents.egress.checking import Checker, checker_for
from agents.egress.errors import Refused
from agents.egress.policy import Policy
from agents.models import EgressKind, EgressRefusal, EgressRule, Run

MOST_REFUSALS = 200
KEPT = timedelta(days=30)


def policy_of(organization_id: int, agent_id: int) -> Policy:
    """Return where an agent may go. An agent with a list of its own has that list; exceptions add up."""
    rows = list(
        EgressRule.objects.filter(
            Q(agent_id=None) | Q(agent_id=agent_id), organization_id=organization_id
        ).values_list("kind", "host", "port", "agent_id")
    )
    allow = [(host, port, owner) for kind, host, port, owner in rows if kind == EgressKind.ALLOW]
    own = [row for row in allow if row[2] is not None]
    return Policy(
        allowed=frozenset((host, port) for host, port, _ in own or allow),
        private=frozenset((host, port) for kind, host, port, _ in rows if kind == EgressKind.PRIVATE),
    )


def checker_of(run: Run) -> Checker:
    return checker_for(policy_of(run.organization_id, run.agent_id))


def record_refusal(run: Run, refused: Refused, *, times: int = 1) -> None:
    """Count a refusal under its run; a run that is refused at ever new places stops filling the table."""
    key = {"run": run, "host": refused.host[:255], "port": refused.port, "reason": refused.reason[:300]}
    now = timezone.now()
    if EgressRefusal.objects.filter(**key).update(count=F("count") + times, last_at=now):
        return
    if EgressRefusal.objects.filter(run=run).count() < MOST_REFUSALS:
        EgressRefusal.objects.get_or_create(
            **key, defaults={"organization_id": run.organization_id, "last_at": now, "count": times}
        )


def prune_refusals() -> int:
    """Delete what was refused last so long ago; return how many rows that were."""
    return EgressRefusal.objects.filter(last_at__lt=timezone.now() - KEPT).delete()[0]
