"""Reads of wakes, of what they brought and of what came with it. For administrators; who may see the agent is asked above."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Left

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from tasks.models import Wake, WakeEvent, WakePayload, WakeState

OPEN = (WakeState.PENDING, WakeState.TAKEN)
MOST_WAKES = 200
PREVIEW, PREVIEWS = 1_000, 3
"""Characters of a payload that a list shows, and how many payloads of an event."""


def with_last_firing(rows: QuerySet[Wake]) -> QuerySet[Wake]:
    """Add `last_fired_at`, as far back as events are kept."""
    newest = WakeEvent.objects.filter(wake=OuterRef("pk")).order_by("-last_at").values("last_at")
    fact = {"last_fired_at": Subquery(newest[:1])}
    return rows.annotate(**fact)


def list_wakes(actor: Actor, agent_id: int) -> list[Wake]:
    """Return an agent's wakes, its own first, with `waiting`: how many of their events wait."""
    actor.check_level(Role.ADMIN)
    own = Wake.objects.filter(organization=actor.organization, agent_id=agent_id)
    rows = with_last_firing(own).select_related("created_by")
    waiting = Count("events", filter=Q(events__state=WakeState.PENDING))
    return list(rows.annotate(waiting=waiting).order_by("built_in", "trigger", "name", "pk")[:MOST_WAKES])


def list_events(
    actor: Actor, agent_id: int, *, state: str = "", before: int | None = None, limit: int = 50
) -> list[WakeEvent]:
    """Return what woke an agent or waits to, newest first."""
    rows = _events(actor, agent_id)
    if state:
        rows = rows.filter(state=state)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[:limit])


def list_queue(actor: Actor, agent_id: int, *, closed: int) -> Sequence[WakeEvent]:
    """Return what waits or is being dealt with, then what was closed last, each with its newest payloads cut short."""
    newest = WakePayload.objects.annotate(text=Left(Cast("payload", TextField()), PREVIEW)).defer("payload")
    rows = _events(actor, agent_id).prefetch_related(
        Prefetch("payloads", newest.order_by("-pk")[:PREVIEWS], to_attr="newest")
    )
    waiting = list(rows.filter(state__in=OPEN).order_by("-pk")[:MOST_WAKES])
    return waiting + list(rows.exclude(state__in=OPEN).order_by("-closed_at", "-pk")[:closed])


def get_event(actor: Actor, agent_id: int, event_id: int) -> WakeEvent:
    event = _events(actor, agent_id).filter(pk=event_id).first()
    if event is None:
        raise NotFound("There is no such event.")
    return event


def list_payloads(event: WakeEvent, *, before: int | None = None, limit: int = 50) -> list[WakePayload]:
    """Return what came with an event, newest first."""
    rows = WakePayload.objects.filter(event=event)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[:limit])


def _events(actor: Actor, agent_id: int) -> QuerySet[WakeEvent]:
    actor.check_level(Role.ADMIN)
    rows = WakeEvent.objects.filter(organization=actor.organization, agent_id=agent_id)
    return rows.select_related("wake")
