"""Acts on the whole installation's secrets: who may do them, and their place in every organization's audit trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.actor import Actor
from accounts.errors import Forbidden
from accounts.models import Organization
from accounts.services import audit

on_change: list[Callable[[], None]] = []
"""Called after a lock or an unlock has been committed, so that what was kept in memory is read anew."""


def check_operator(actor: Actor | None) -> None:
    """Raise Forbidden unless it is the command line, or a superuser who is signed in."""
    if actor is None:
        return
    if not actor.user.is_superuser or actor.scopes is not None:
        raise Forbidden("Only an operator of this installation may do this, signed in.")


def record(actor: Actor | None, action: str, **detail: Any) -> None:
    """Write the act into the audit trail of every organization: it concerns the secrets of each."""
    for organization in Organization.objects.order_by("pk"):
        own = actor if actor is not None and actor.organization == organization else None
        audit.record(own, organization, action, **detail)
