"""What administrators do about the cortex: run a job now, close a circuit, ask the system about itself."""

from __future__ import annotations

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.services import audit
from agents.cortex import breakers, queries
from agents.cortex.table import JOBS
from agents.models import Breaker, BreakerState, CortexJob
from agents.processes.cortex_chat import SETTING
from agents.queries import get_agent
from messaging.models import Conversation, ConversationKind
from messaging.services.conversations import start_conversation
from realtime.services import unit_of_work


def run_job_now(actor: Actor, agent_id: int, name: str) -> CortexJob:
    """Make a job due at once; whoever looks next runs it. Its back-off is over, its failures still count.

    Asking again changes nothing, nor does asking while it runs. Needs `cortex:write`.
    """
    actor.check_scope(queries.WRITE)
    agent = get_agent(actor, agent_id)
    if name not in JOBS:
        raise NotFound("There is no such job.")
    with unit_of_work():
        job, _ = CortexJob.objects.get_or_create(
            agent=agent, name=name, defaults={"organization": actor.organization, "due_at": timezone.now()}
        )
        if CortexJob.objects.filter(pk=job.pk, lease_owner="", due_at__gt=timezone.now()).update(
            due_at=timezone.now()
        ):
            audit.record(
                actor, actor.organization, "cortex.job_asked_for", target=f"agent:{agent.pk}", job=name
            )
    job.refresh_from_db()
    return job


def close_breaker(actor: Actor, agent_id: int, breaker_id: int) -> Breaker:
    """Let the agent call the tool again, now. Closing what is closed changes nothing. Needs `cortex:write`."""
    actor.check_scope(queries.WRITE)
    found = queries.get_breaker(actor, agent_id, breaker_id)
    with unit_of_work():
        row = Breaker.objects.select_for_update().get(pk=found.pk)
        if row.state == BreakerState.CLOSED and row.failures == 0:
            return row
        breakers.close(row, by="an administrator")
        audit.record(
            actor, actor.organization, "cortex.breaker_closed", target=f"agent:{row.agent_id}", tool=row.tool
        )
    breakers.forget(row.agent_id)
    return row


def open_chat(actor: Actor, agent_id: int) -> Conversation:
    """Return the actor's own conversation with an agent's system, begun at the first call. Needs `cortex:write`.

    It is theirs alone: private, and nothing of it is remembered.
    """
    actor.check_scope(queries.WRITE)
    agent = get_agent(actor, agent_id)
    return start_conversation(
        actor,
        agent_id=agent.pk,
        kind=ConversationKind.DM,
        title=f"System: {agent.name}",
        external_id=f"cortex-{agent.pk}-{actor.user.pk}",
        settings={SETTING: True, "memory": "off"},
    )
