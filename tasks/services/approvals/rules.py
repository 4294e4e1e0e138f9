"""Who decides what: the closest rule of the organization, or the default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.actor import Actor
from accounts.errors import InvalidInput, NotFound
from accounts.models import Role
from accounts.services import audit
from realtime.services import unit_of_work
from tasks.models import Approval, ApprovalRule

DAY_S = 24 * 3_600
MOST_NEEDED = 5
EXPIRY_S = (60, 365 * DAY_S)
DECIDING_ROLES = (Role.MEMBER, Role.MODERATOR, Role.ADMIN, Role.OWNER)


@dataclass(frozen=True)
class Rule:
    """`own` says that whoever asked may decide too, whatever their role; `ruled` that the organization wrote it."""

    minimum_role: Role = Role.MODERATOR
    needed: int = 1
    four_eyes: bool = False
    expires_after_s: int = 7 * DAY_S
    own: bool = False
    ruled: bool = False

    def strictest(self, approval: Approval) -> Rule:
        """Return what both demand: an approval is bound by the rule it was asked under and by the one of now."""
        return Rule(
            max(self.minimum_role, Role(approval.minimum_role), key=lambda each: each.level),
            max(self.needed, approval.needed),
            self.four_eyes or approval.four_eyes,
            self.expires_after_s,
            own=self.own and not approval.ruled,
            ruled=self.ruled or approval.ruled,
        )


DEFAULTS = {
    "task": Rule(expires_after_s=30 * DAY_S, own=True),
    "schedule": Rule(expires_after_s=30 * DAY_S, own=True),
    "goal": Rule(expires_after_s=30 * DAY_S),
    "goal_change": Rule(expires_after_s=30 * DAY_S),
}
"""What holds for a kind where the organization says nothing: people decide about work that runs with their own authority."""


def rule_for(organization_id: int, *, agent_id: int | None, kind: str, subject: str) -> Rule:
    """Return the closest rule: the tool's before the kind's, the agent's before everyone's."""
    rows = ApprovalRule.objects.filter(
        Q(agent_id=None) | Q(agent_id=agent_id),
        organization_id=organization_id,
        kind__in=["", kind],
        subject__in=["", subject],
    )
    return closest(rows, agent_id=agent_id, kind=kind, subject=subject)


def closest(rows: Iterable[ApprovalRule], *, agent_id: int | None, kind: str, subject: str) -> Rule:
    """Choose among an organization's rules."""
    fitting = [
        row
        for row in rows
        if row.agent_id in (None, agent_id) and row.kind in ("", kind) and row.subject in ("", subject)
    ]
    if not fitting:
        return DEFAULTS.get(kind, Rule())
    row = max(fitting, key=lambda each: (bool(each.subject), each.agent_id is not None, bool(each.kind)))
    return Rule(Role(row.minimum_role), row.needed, row.four_eyes, row.expires_after_s, ruled=True)


def list_rules(actor: Actor) -> list[ApprovalRule]:
    actor.check_level(Role.ADMIN)
    return list(
        ApprovalRule.objects.filter(organization=actor.organization).order_by("kind", "subject", "agent_id")
    )


def save_rule(
    actor: Actor,
    *,
    agent_id: int | None = None,
    kind: str = "",
    subject: str = "",
    minimum_role: str = Role.MODERATOR,
    needed: int = 1,
    four_eyes: bool = False,
    expires_after_s: int = 7 * DAY_S,
) -> ApprovalRule:
    """Set the rule for an agent, a kind and a subject; empty means all. Admins may, and it is audited."""
    actor.check_level(Role.ADMIN)
    values: dict[str, Any] = {
        "minimum_role": _check_role(minimum_role),
        "needed": _check_number("needed", needed, 1, MOST_NEEDED),
        "four_eyes": bool(four_eyes),
        "expires_after_s": _check_number("expires_after_s", expires_after_s, *EXPIRY_S),
    }
    if len(kind) > 20 or len(subject) > 80:
        raise InvalidInput("This name is too long.", field="subject")
    with unit_of_work():
        rule, _ = ApprovalRule.objects.update_or_create(
            organization=actor.organization, agent_id=agent_id, kind=kind, subject=subject, defaults=values
        )
        audit.record(
            actor, actor.organization, "approval_rule.saved", target=f"rule:{rule.pk}",
            agent_id=agent_id, kind=kind, subject=subject, **values,
        )  # fmt: skip
    return rule


def delete_rule(actor: Actor, rule_id: int) -> None:
    actor.check_level(Role.ADMIN)
    with unit_of_work():
        rule = ApprovalRule.objects.filter(organization=actor.organization, pk=rule_id).first()
        if rule is None:
            raise NotFound("There is no such rule.")
        audit.record(
            actor, actor.organization, "approval_rule.deleted", target=f"rule:{rule.pk}", rule=str(rule)
        )
        rule.delete()


def _check_role(value: str) -> str:
    if value not in [str(role) for role in DECIDING_ROLES]:
        raise InvalidInput("Choose member, moderator, admin or owner.", field="minimum_role")
    return str(value)


def _check_number(field: str, value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(f"This must be a whole number from {low} to {high}.", field=field)
    return value
