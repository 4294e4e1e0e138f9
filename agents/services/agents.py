"""Making and changing agents."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.checks import check_slug, check_time_zone
from accounts.errors import Conflict, InvalidInput
from accounts.models import Organization, Role
from accounts.services import audit
from agents import presets, queries
from agents.coding.choosing import BACKENDS
from agents.models import Agent

EDITABLE = {"name": 80, "tagline": 160, "soul": 20_000, "identity": 20_000, "role": 20_000}
SETTINGS = {
    "branch_limit_s": (10, 3_600),
    "worker_limit_s": (10, 86_400),
    "background_budget_calls": (0, 10_000),
}
"""Numbers, with their bounds. `time_zone` is a setting too."""
CHOICES = {
    "worker_memory": ("none", "recall"),
    "private_learning": ("person", "organization"),
    "scrubbing": ("patterns", "own", "off"),
    "coding": ("auto", *BACKENDS, "off"),
}
"""Settings that are words; the first is what holds without one."""


def create_agent(actor: Actor, *, name: str, slug: str | None = None, preset: str = presets.DEFAULT) -> Agent:
    """Create an agent from a preset. Admins may. Raises InvalidInput and Conflict."""
    actor.check_level(Role.ADMIN)
    agent = make_agent(actor.organization, name=name, slug=slug, preset=preset)
    audit.record(actor, actor.organization, "agent.created", target=f"agent:{agent.pk}", name=agent.name)
    return agent


def make_agent(
    organization: Organization, *, name: str, slug: str | None = None, preset: str = presets.DEFAULT
) -> Agent:
    """Create an agent without asking who wants it: for set-up."""
    name = _clean("name", name)
    if preset not in presets.PRESETS:
        raise InvalidInput(f"There is no preset {preset!r}.", field="preset")
    found = presets.PRESETS[preset]
    slug = check_slug(slug) if slug else slugify(name)[:60]
    if not slug:
        raise InvalidInput("The name needs at least one letter or digit.", field="name")
    try:
        with transaction.atomic():
            return Agent.objects.create(
                organization=organization,
                slug=slug,
                name=name,
                preset=preset,
                tagline=found.tagline,
                soul=found.soul,
                identity=found.identity,
                role=found.role,
            )
    except IntegrityError:
        raise Conflict(f"There is already an agent called {slug!r}.") from None


def update_agent(actor: Actor, agent_id: int, **changes: Any) -> Agent:
    """Change an agent's texts, settings, or whether it is on. Admins may. Unknown fields raise InvalidInput."""
    actor.check_level(Role.ADMIN)
    agent = queries.get_agent(actor, agent_id)
    before = agent.settings
    for field, value in changes.items():
        if field in EDITABLE:
            setattr(agent, field, _clean(field, value))
        elif field == "enabled":
            agent.enabled = bool(value)
        elif field == "settings":
            agent.settings = _check_settings(value)
        else:
            raise InvalidInput("This cannot be changed.", field=field)
    agent.save(update_fields=[*changes, "updated_at"])
    detail = {"settings": {"before": before, "after": agent.settings}} if "settings" in changes else {}
    audit.record(
        actor,
        actor.organization,
        "agent.changed",
        target=f"agent:{agent.pk}",
        fields=sorted(changes),
        **detail,
    )
    return agent


def apply_preset(actor: Actor, agent_id: int, *, preset: str) -> Agent:
    """Write a preset's texts over the agent's own; name, limits and switch stay. Admins may."""
    actor.check_level(Role.ADMIN)
    if preset not in presets.PRESETS:
        raise InvalidInput(f"There is no preset {preset!r}.", field="preset")
    found = presets.PRESETS[preset]
    agent = queries.get_agent(actor, agent_id)
    agent.preset, agent.tagline = found.key, found.tagline
    agent.soul, agent.identity, agent.role = found.soul, found.identity, found.role
    agent.save(update_fields=["preset", "tagline", "soul", "identity", "role", "updated_at"])
    audit.record(actor, actor.organization, "agent.preset_applied", target=f"agent:{agent.pk}", preset=preset)
    return agent


def _clean(field: str, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise InvalidInput("This must be text.", field=field)
    text: str = value.strip()
    if field == "name" and not text:
        raise InvalidInput("An agent needs a name.", field=field)
    if len(text) > EDITABLE[field]:
        raise InvalidInput(f"This is too long: {EDITABLE[field]:,} characters at most.", field=field)
    return text


def _check_settings(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput("Settings must be an object.", field="settings")
    for key, number in value.items():
        if key == "time_zone" and isinstance(number, str):
            check_time_zone(number)
            continue
        if key in CHOICES:
            if number not in CHOICES[key]:
                raise InvalidInput(f"{key} is one of: {', '.join(CHOICES[key])}.", field="settings")
            continue
        if key not in SETTINGS:
            raise InvalidInput(f"There is no setting {key!r}.", field="settings")
        low, high = SETTINGS[key]
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            raise InvalidInput(f"{key} must be a whole number from {low} to {high}.", field="settings")
    return value
