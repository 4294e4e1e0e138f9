"""The dial, its limits, and the organization's ceiling. Administrators set them; every change is audited."""

from __future__ import annotations

from datetime import time
from typing import Any

from accounts.actor import Actor
from accounts.errors import InvalidInput
from accounts.models import Role
from accounts.services import audit
from agents import queries
from agents.models import Autonomy, AutonomyRule
from realtime.services import NewEvent, record, unit_of_work
from tasks.models import Level
from tasks.services.wakes.definitions import add_built_in

BOUNDS = {
    "interval_s": (300, 7 * 86_400),
    "gap_s": (30, 86_400),
    "timeout_s": (60, 3_600),
    "tasks_per_run": (1, 10),
    "tasks_per_day": (1, 500),
    "minutes_per_day": (1, 1_440),
    "run_history": (0, 20),
}
"""Numbers, with their bounds."""
HOURS = ("active_from", "active_until")


def get_autonomy(actor: Actor, agent_id: int) -> Autonomy:
    """Return how far an agent goes by itself; one that nobody has let go yet has an unsaved row that is off."""
    agent = queries.get_agent(actor, agent_id)
    found = Autonomy.objects.select_related("agent", "paused_by").filter(agent=agent).first()
    return found or Autonomy(organization=actor.organization, agent=agent)


def change_autonomy(actor: Actor, agent_id: int, **changes: Any) -> Autonomy:
    """Set an agent's dial and limits; the built-in wakes come with the first time. Raises InvalidInput."""
    actor.check_level(Role.ADMIN)
    cleaned = {name: _clean(name, value) for name, value in changes.items()}
    row = lock_autonomy(actor, agent_id)
    with unit_of_work():
        row = Autonomy.objects.select_for_update().select_related("agent").get(pk=row.pk)
        before = {name: getattr(row, name) for name in cleaned}
        for name, value in cleaned.items():
            setattr(row, name, value)
        if (row.active_from is None) != (row.active_until is None):
            raise InvalidInput("Give both hours, or neither.", field="active_until")
        row.save(update_fields=[*cleaned, "updated_at"])
        changed = {
            name: [str(before[name]), str(cleaned[name])] for name in cleaned if before[name] != cleaned[name]
        }
        if changed:
            audit.record(actor, actor.organization, "autonomy.changed", f"agent:{agent_id}", **changed)
            tell(actor.organization.pk, agent_id)
    return row


def get_rule(actor: Actor) -> AutonomyRule:
    """Return what holds for all agents; an organization that has set nothing has an unsaved row."""
    found = AutonomyRule.objects.select_related("paused_by").filter(organization=actor.organization).first()
    return found or AutonomyRule(organization=actor.organization)


def set_ceiling(actor: Actor, ceiling: str) -> AutonomyRule:
    """Set how far any agent may go by itself. It holds from the next tool call of runs that are under way."""
    actor.check_level(Role.ADMIN)
    if ceiling not in Level.values:
        raise InvalidInput("The ceiling is off, observe, suggest or act.", field="ceiling")
    with unit_of_work():
        rule = lock_rule(actor)
        before, rule.ceiling = rule.ceiling, ceiling
        rule.save(update_fields=["ceiling", "updated_at"])
        if before != ceiling:
            audit.record(actor, actor.organization, "autonomy.ceiling", before=before, after=ceiling)
            tell(actor.organization.pk, None)
    return rule


def lock_autonomy(actor: Actor, agent_id: int) -> Autonomy:
    """Return the agent's row, made where there is none yet."""
    agent = queries.get_agent(actor, agent_id)
    with unit_of_work():
        row, created = Autonomy.objects.get_or_create(
            agent=agent, defaults={"organization": actor.organization}
        )
        if created:
            add_built_in(actor.organization.pk, agent.pk)
    return row


def lock_rule(actor: Actor) -> AutonomyRule:
    AutonomyRule.objects.get_or_create(organization=actor.organization)
    return AutonomyRule.objects.select_for_update().get(organization=actor.organization)


def tell(organization_id: int, agent_id: int | None) -> None:
    record(
        organization_id,
        NewEvent("autonomy.changed", {"agent_id": agent_id}, minimum_level=Role.ADMIN.level),
    )


def _clean(name: str, value: Any) -> Any:
    if name == "level":
        if value not in Level.values:
            raise InvalidInput("The level is off, observe, suggest or act.", field=name)
        return value
    if name == "claim_unowned":
        return bool(value)
    if name in HOURS:
        if value is None or value == "":
            return None
        try:
            return value if isinstance(value, time) else time.fromisoformat(str(value))
        except ValueError:
            raise InvalidInput("Write the hour as 08:30.", field=name) from None
    if name not in BOUNDS:
        raise InvalidInput("This cannot be changed.", field=name)
    low, high = BOUNDS[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(f"This is a whole number from {low} to {high}.", field=name)
    return value
