"""The audit trail: one append-only chain per organization; each entry's hash covers the one before it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent, Organization

FIRST_HASH = "0" * 64


def record(
    actor: Actor | None, organization: Organization, action: str, target: str = "", **detail: Any
) -> AuditEvent:
    """Append one entry; without an actor it is the system's.

    The entry stands or falls with the caller's transaction. Takes the organization's row lock, which
    keeps numbers in commit order and does not hinder rows that merely refer to the organization.
    """
    if actor is not None and actor.token_id is not None:
        detail["token_id"] = actor.token_id
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        last = AuditEvent.objects.filter(organization=organization).order_by("-number").first()
        event = AuditEvent(
            organization=organization,
            number=last.number + 1 if last else 1,
            at=timezone.now(),
            actor_kind=_kind(actor),
            actor_id=actor.user.pk if actor else None,
            actor_name=_clean(str(actor.user))[:160] if actor else "system",
            action=action,
            target=_clean(target)[:200],
            detail=_plain(detail),
            previous_hash=last.hash if last else FIRST_HASH,
        )
        event.hash = hash_of(event)
        event.save(force_insert=True)
    return event


def hash_of(event: AuditEvent) -> str:
    """Return the SHA-256 over everything the entry says, the previous hash included."""
    content = {
        "organization": event.organization_id,
        "number": event.number,
        "at": event.at.isoformat(),
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "actor_name": event.actor_name,
        "action": event.action,
        "target": event.target,
        "detail": event.detail,
        "previous_hash": event.previous_hash,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def find_broken_number(organization_id: int) -> int | None:
    """Walk the chain; return the first number that is missing or altered, or None when all is whole."""
    expected, previous = 1, FIRST_HASH
    events = AuditEvent.objects.filter(organization_id=organization_id).order_by("number")
    for event in events.iterator(chunk_size=500):
        if event.number != expected:
            return expected
        if event.previous_hash != previous or event.hash != hash_of(event):
            return event.number
        expected, previous = event.number + 1, event.hash
    return None


def _kind(actor: Actor | None) -> str:
    if actor is None:
        return "system"
    return "user" if actor.token_id is None else "token"


def _plain(value: Any) -> Any:
    """Reduce to what JSON and jsonb give back unchanged; a float becomes text, for jsonb rewrites some."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dict):
        return {_clean(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(item) for item in items]
    return _clean(str(value))


def _clean(text: str) -> str:
    """Drop what PostgreSQL cannot store."""
    return text.replace("\x00", "").encode(errors="ignore").decode()
