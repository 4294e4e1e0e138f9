"""Trying a wake out: it fires by hand, with what a person gives it."""

from __future__ import annotations

import json
from typing import Any

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.services import audit
from realtime.services import unit_of_work
from tasks.errors import TooLarge
from tasks.models import WakeEvent, WakeState
from tasks.services.wakes.definitions import get_wake
from tasks.services.wakes.ringing import fire
from tasks.services.wakes.webhooks import MOST_BYTES, is_storable


def try_out(actor: Actor, wake_id: int, payload: Any) -> WakeEvent:
    """Fire a wake now; return the event that waits, which others may have joined before. Raises Conflict, InvalidInput."""
    with unit_of_work():
        wake = get_wake(actor, wake_id)
        if not wake.enabled:
            raise Conflict("This wake is switched off; switch it on to try it.")
        if not is_storable(payload):
            raise InvalidInput("This holds what cannot be stored as JSON.", field="payload")
        if len(json.dumps(payload)) > MOST_BYTES:
            raise TooLarge(f"This holds {MOST_BYTES // 1024} KiB at most.")
        fire(wake.pk, payload=payload)
        audit.record(actor, actor.organization, "wake.fired", f"wake:{wake.pk}", agent_id=wake.agent_id)
        return WakeEvent.objects.select_related("wake").get(wake=wake, key="", state=WakeState.PENDING)
