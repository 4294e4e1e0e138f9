"""Telling browsers how far a file is: whoever may hear what it teaches, and nobody else."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from memory.models import IngestedFile
from realtime.services import NewEvent, publish_transient, record


def tell(file: IngestedFile, **changed: Any) -> None:
    """Record that a file was given, changed or removed; joins the caller's transaction."""
    event = _event(file, changed)
    if event is not None:
        record(file.organization_id, event)


def tell_progress(file: IngestedFile, **changed: Any) -> None:
    """Show how far it is to those who watch, after the commit; not stored, since the page says it all."""
    event = _event(file, changed)
    if event is not None:
        transaction.on_commit(lambda: publish_transient(file.organization_id, event), robust=True)


def _event(file: IngestedFile, changed: dict[str, Any]) -> NewEvent | None:
    """Return the event; None for a file kept to a person who has no login."""
    payload = {"file_id": file.pk, "agent_id": file.agent_id, **changed}
    if file.audience_person is None:
        return NewEvent("ingestion.changed", payload)
    user_id = file.audience_person.user_id
    return None if user_id is None else NewEvent("ingestion.changed", payload, user_id=user_id)
