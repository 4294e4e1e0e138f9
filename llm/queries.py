"""Reads of providers, models, routes and the ledger. The actor comes first; other organizations' rows do not exist."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from llm.models import LedgerEntry, ModelEntry, Provider, Route

READ_SCOPE = "models:read"
MOST_ROWS = 200


def list_providers(actor: Actor) -> QuerySet[Provider]:
    """Return the organization's providers with their models, oldest first."""
    actor.check_scope(READ_SCOPE)
    return Provider.objects.filter(organization=actor.organization).prefetch_related("entries").order_by("pk")


def get_provider(actor: Actor, provider_id: int) -> Provider:
    actor.check_scope(READ_SCOPE)
    found = Provider.objects.filter(organization=actor.organization, pk=provider_id).first()
    if found is None:
        raise NotFound("There is no such provider.")
    return found


def list_models(actor: Actor) -> QuerySet[ModelEntry]:
    """Return the organization's models with their providers, oldest first."""
    actor.check_scope(READ_SCOPE)
    entries = ModelEntry.objects.filter(organization=actor.organization)
    return entries.select_related("provider").order_by("pk")


def get_model(actor: Actor, entry_id: int) -> ModelEntry:
    found = list_models(actor).filter(pk=entry_id).first()
    if found is None:
        raise NotFound("There is no such model.")
    return found


def list_routes(actor: Actor) -> QuerySet[Route]:
    """Return the routes by process and position."""
    actor.check_scope(READ_SCOPE)
    routes = Route.objects.filter(organization=actor.organization)
    return routes.select_related("entry__provider").order_by("process", "position")


def list_ledger(actor: Actor, *, before: int | None = None, limit: int = 50) -> list[LedgerEntry]:
    """Return the newest requests, those with an id under `before`; for admins, because it holds vendors' words."""
    actor.check_level(Role.ADMIN)
    actor.check_scope(READ_SCOPE)
    rows = LedgerEntry.objects.filter(organization=actor.organization)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: max(1, min(limit, MOST_ROWS))])


def list_run_requests(actor: Actor, run_id: int) -> list[LedgerEntry]:
    """Return the requests of one run, oldest first. The caller has let the actor through the run's own door."""
    actor.check_scope("runs:read")
    rows = LedgerEntry.objects.filter(organization=actor.organization, run_id=run_id)
    return list(rows.order_by("pk")[:MOST_ROWS])


def usage_by_model(actor: Actor, *, since: datetime) -> list[dict[str, Any]]:
    """Return requests, tokens and cost per provider and model; `unpriced` counts requests of unknown cost."""
    actor.check_level(Role.ADMIN)
    actor.check_scope(READ_SCOPE)
    rows = LedgerEntry.objects.filter(organization=actor.organization, created_at__gte=since)
    totals = (
        rows.values("provider_name", "model_asked")
        .annotate(
            requests=Count("id"),
            failed=Count("id", filter=~Q(outcome="succeeded")),
            input_tokens=Sum("input_tokens"),
            output_tokens=Sum("output_tokens"),
            cache_read_tokens=Sum("cache_read_tokens"),
            cache_write_tokens=Sum("cache_write_tokens"),
            unpriced=Count("id", filter=Q(cost_usd=None)),
            cost_usd=Sum("cost_usd"),
        )
        .order_by("provider_name", "model_asked")
    )
    return [dict(total) for total in totals]
