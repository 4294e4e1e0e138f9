"""Where higher packages hand functions to lower ones, once, at start."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from accounts import hooks
from accounts.errors import Forbidden
from accounts.models import ApiToken, Membership, Organization, User
from agents.autonomy import pausing
from agents.browser.bound_secrets import set_finder
from agents.models import Agent
from agents.queries import agent_names, agent_slugs, get_agent, scrubbing_mode
from agents.sandbox.readers import start_reader
from agents.services import attempts, firings, happenings
from agents.services.approvals import TOOL_CALL
from agents.services.attachment_copies import ATTACHMENTS
from llm.services.routing import forget_routing
from memory import hooks as memory_hooks
from memory.ingestion.agents import AgentPlace, set_agent_directory
from memory.ingestion.erasure import FILES
from memory.ingestion.reading import set_reader
from memory.services.erasure import ERASERS, Eraser
from messaging.hooks import on_joined as joined
from messaging.queries import can_read_conversation
from realtime.access import set_conversation_gate
from realtime.services import announce_access_change
from secret_store import operators, portable, shields
from secret_store.errors import KeyUnavailable, SecretNotFound
from secret_store.uses import use_secret
from tasks.agents import Workforce, set_workforce
from tasks.schedules import runs as scheduled_runs
from tasks.services import erasure as work_erasure
from tasks.services.approvals import kinds
from tasks.services.proposals import executors as proposals
from tasks.services.schedules import erasure as schedule_erasure


def connect() -> None:
    """Let lower packages ask who reads what and who is an agent, and hear of every change of access."""
    set_conversation_gate(can_read_conversation)
    shields.set_mode_directory(scrubbing_mode)
    portable.set_agent_slugs(agent_slugs)
    operators.on_change.append(_forget_values)
    set_agent_directory(named=_agents_named, check=get_agent)
    set_finder(_secret_for)
    set_workforce(
        Workforce(names=agent_names, start=attempts.start_for_person, stop=attempts.stop, tell=attempts.tell)
    )
    set_reader(start_reader)
    ERASERS.append(FILES)
    ERASERS.append(ATTACHMENTS)
    joined.append(happenings.person_joined)
    memory_hooks.on_saved.append(happenings.memory_saved)
    memory_hooks.on_contradicted.append(happenings.memories_contradict)
    memory_hooks.on_edited.append(happenings.memory_corrected)
    memory_hooks.on_withdrawn.append(happenings.memory_withdrawn)
    memory_hooks.on_ingested.append(happenings.file_ingested)
    kinds.register("tool_call", TOOL_CALL)
    kinds.register("task", proposals.TASK)
    kinds.register("goal", proposals.GOAL)
    kinds.register("goal_change", proposals.GOAL_CHANGE)
    kinds.register("schedule", proposals.SCHEDULE)
    ERASERS.append(Eraser("schedules", schedule_erasure.erase, schedule_erasure.count))
    ERASERS.append(Eraser("work", work_erasure.erase, work_erasure.count))
    scheduled_runs.connect(
        start=firings.start,
        stop=firings.stop,
        agents_on=firings.agents_on,
        agents_paused=pausing.paused_agents,
    )
    hooks.on_membership_removed.append(announce_access_change)
    hooks.on_role_changed.append(announce_access_change)
    for model in (Membership, ApiToken):
        post_save.connect(_on_row, sender=model, dispatch_uid="realtime-access")
        post_delete.connect(_on_row, sender=model, dispatch_uid="realtime-access")
    post_save.connect(_on_user, sender=User, dispatch_uid="realtime-access")
    user_logged_out.connect(_on_sign_out, dispatch_uid="realtime-access")


def _secret_for(organization_id: int, agent_id: int, name: str, origin: str) -> str | None:
    """Return a secret that may be typed into pages of an origin, for the agent's browser."""
    try:
        return use_secret(organization_id, name, origin=origin, agent_id=agent_id)
    except (SecretNotFound, KeyUnavailable, Forbidden):
        return None


def _agents_named(slug: str) -> list[AgentPlace]:
    rows = Agent.objects.filter(slug=slug).values_list("organization_id", "organization__slug", "pk")
    return [AgentPlace(*row) for row in rows]


def _forget_values() -> None:
    """What was read before a lock is kept no longer than this."""
    shields.forget()
    for organization_id in Organization.objects.values_list("pk", flat=True):
        forget_routing(organization_id)


def _on_row(instance: Membership | ApiToken, created: bool = False, **_: Any) -> None:
    if not created:
        _announce(instance.organization_id, instance.user_id)


def _on_user(instance: User, created: bool, update_fields: Any, **_: Any) -> None:
    if not created and set(update_fields or ()) != {"last_login"}:
        _announce_everywhere(instance)


def _on_sign_out(user: User | None, **_: Any) -> None:
    if user is not None:
        _announce_everywhere(user)


def _announce_everywhere(user: User) -> None:
    for organization_id in Membership.objects.filter(user=user).values_list("organization_id", flat=True):
        _announce(organization_id, user.pk)


def _announce(organization_id: int, user_id: int) -> None:
    transaction.on_commit(lambda: announce_access_change(organization_id, user_id), robust=True)
