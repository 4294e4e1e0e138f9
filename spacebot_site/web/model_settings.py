"""Providers, their models, which process uses which, and what it came to."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Avg, Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from llm.models import LedgerEntry, ModelEntry, Process, Provider, Route
from spacebot_site.web.door import page

USAGE_DAYS = 30


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    organization = actor.organization
    entries = list(ModelEntry.objects.filter(organization=organization).select_related("provider").order_by("provider__name", "name"))
    routes: dict[str, list[Route]] = {}
    for route in Route.objects.filter(organization=organization).select_related("entry__provider"):
        routes.setdefault(route.process, []).append(route)
    usage = (
        LedgerEntry.objects.filter(organization=organization, created_at__gte=timezone.now() - timedelta(days=USAGE_DAYS))
        .values("model_asked", "provider_name")
        .annotate(requests=Count("id"), input=Sum("input_tokens"), output=Sum("output_tokens"), cost=Sum("cost_usd"), priced=Count("cost_usd"), latency=Avg("latency_ms"))
        .order_by("-requests")
    )
    return render(
        request,
        "settings/models.html",
        {
            "providers": Provider.objects.filter(organization=organization).order_by("name"),
            "entries": entries,
            "routing": [(value, label, routes.get(value, [])) for value, label in Process.choices],
            "usage": usage,
            "usage_days": USAGE_DAYS,
        },
    )
