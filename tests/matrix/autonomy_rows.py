"""An agent that works by itself: a webhook of its own, what that brought, and a stop that is over."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from agents.models import Agent, Autonomy, Halt
from tasks.models import Wake, WakeEvent, WakePayload
from tasks.services.wakes.definitions import digest_of

TOKEN = "unknown-elsewhere"


def make_autonomy(agent: Agent) -> dict[str, Any]:
    """Return the values for the routes' parameters."""
    fields: dict[str, Any] = {"organization": agent.organization}
    now = timezone.now()
    Autonomy.objects.create(agent=agent, level="suggest", last_started_at=now, **fields)
    Halt.objects.create(agent=agent, asked_at=now, **fields)
    Halt.objects.create(asked_at=now, **fields)
    wake = Wake.objects.create(
        agent_id=agent.pk,
        name="Orders",
        trigger="webhook",
        token_digest=digest_of(f"{TOKEN}{agent.pk}"),
        **fields,
    )
    event = WakeEvent.objects.create(
        wake=wake,
        agent_id=agent.pk,
        state="dropped",
        reason="x",
        first_at=now,
        last_at=now,
        closed_at=now,
        **fields,
    )
    WakePayload.objects.create(event=event, payload={"order": 7}, from_outside=True, created_at=now, **fields)
    return {"wake_id": wake.pk, "event_id": event.pk, "token": "unknown"}
