"""An agent that works by itself, to show the product with: its dial, wakes, what waits, what it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from agents.autonomy import settings
from agents.models import Agent, Autonomy, Run, RunKind, RunState
from tasks.models import Wake
from tasks.services.wakes.definitions import create_wake
from tasks.services.wakes.ringing import fire

DID: tuple[tuple[int, str, str, str, list[dict[str, str]], str], ...] = (
    (9, "It was woken", RunState.FAILED, "", [], "It ran out of time. It ended without a summary."),
    (5, "Its interval has passed, and there is something to do", RunState.SUCCEEDED,
     "The board had one urgent task that was ready: I set a worker on it.\nThe goal “Ship the spring release” is on its way;"
     " nothing of it is blocked.", [{"kind": "started", "detail": "A worker drafts the release notes"}], ""),
    (1, "It was woken", RunState.SUCCEEDED,
     "Three orders came in over the webhook. One names a broken link in the handbook; I proposed a task for it.\nLeft the"
     " decision between plan A and plan B to people.", [{"kind": "proposed", "detail": "Mend the link to the price list"},
                             {"kind": "left", "detail": "Plan A or plan B"}], ""),
)  # fmt: skip


def fill_autonomy(actor: Actor, agent: Agent) -> None:
    """Let an agent act, give it wakes that have fired, and runs of its own; the actor is an administrator."""
    settings.change_autonomy(actor, agent.pk, level="act")
    orders, _ = create_wake(actor, agent.pk, trigger="webhook", name="Orders from the shop", signed=True)
    create_wake(
        actor, agent.pk, trigger="schedule", name="Every morning", expression="0 9 * * 1-5", time_zone="UTC",
        instructions="Look what is due today.",
    )  # fmt: skip
    for number in (4711, 4712, 4713):
        fire(
            orders.pk,
            payload={"order": number, "note": "The link to the price list is broken"},
            from_outside=True,
        )
    approved = Wake.objects.get(agent_id=agent.pk, happening="task.approved")
    fire(approved.pk, key="task:1", payload={"task": 1})
    for hours, why, state, summary, actions, failure in DID:
        _did(agent, hours=hours, title=why, state=state, failure={"message": failure} if failure else None,
             result={"summary": summary, "text": summary, "actions": actions} if summary else {})  # fmt: skip
    Autonomy.objects.filter(agent=agent).update(last_started_at=timezone.now() - timedelta(minutes=4))


def _did(agent: Agent, *, hours: int, **fields: Any) -> None:
    began = timezone.now() - timedelta(hours=hours)
    run = Run.objects.create(
        organization=agent.organization, agent=agent, kind=RunKind.AUTONOMY, input={"level": "act", "keys": []},
        due_at=began, started_at=began, finished_at=began + timedelta(seconds=41), active_ms=41_000, **fields,
    )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(created_at=began)
