"""Providers, their models, which process uses which, and what it came to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actor import Actor
from accounts.errors import AccountsError
from accounts.models import Role
from llm import queries
from llm.models import Process, ProviderKind, Route
from llm.services import providers as services
from llm.services.provider_test import test_provider
from spacebot_site.web.door import page
from spacebot_site.web.first_steps import STAND_INS, has_real_model
from spacebot_site.web.forms import attempt, number
from spacebot_site.web.model_forms import PRICES, read_price

USAGE_DAYS = 30
FALLBACKS = 3
KINDS = [(kind.value, kind.label) for kind in ProviderKind if kind not in STAND_INS]
PROCESS_WORDS = {
    Process.CHANNEL: "talks with people",
    Process.BRANCH: "thinks on the side",
    Process.WORKER: "does longer work",
    Process.COMPACTOR: "summarises long conversations",
    Process.CORTEX: "looks across everything",
}


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        _change(request, actor)
        return redirect("models")
    routes: dict[str, list[Route]] = {}
    for route in queries.list_routes(actor):
        routes.setdefault(route.process, []).append(route)
    return render(
        request,
        "settings/models.html",
        {
            "providers": queries.list_providers(actor),
            "entries": list(queries.list_models(actor)),
            "kinds": KINDS,
            "routing": [_row(process, routes.get(process, [])) for process in Process],
            "usage": queries.usage_by_model(actor, since=timezone.now() - timedelta(days=USAGE_DAYS)),
            "usage_days": USAGE_DAYS,
            "has_real_model": has_real_model(actor),
        },
    )


@require_POST
@page(level=Role.ADMIN)
def try_out(request: HttpRequest, actor: Actor, entry_id: int) -> HttpResponse:
    """Send a real request and show its steps; the page puts the answer beside the button."""
    entry = queries.get_model(actor, entry_id)
    try:
        result = test_provider(actor, entry.pk)
    except AccountsError as error:
        return render(request, "settings/model_test.html", {"problem": str(error)})
    return render(request, "settings/model_test.html", {"result": result})


def _row(process: Process, routes: list[Route]) -> dict[str, object]:
    chosen: list[int | None] = [route.entry_id for route in routes]
    return {
        "process": process.value,
        "label": process.label,
        "words": PROCESS_WORDS[process],
        "chosen": (chosen + [None] * FALLBACKS)[: max(FALLBACKS, len(chosen))],
    }


def _change(request: HttpRequest, actor: Actor) -> None:
    form, act = request.POST, request.POST.get("act")
    provider_id, entry_id = number(form.get("provider")), number(form.get("model"))
    if act == "add_provider":
        _add_provider(request, actor)
    elif act == "remove_provider":
        attempt(request, lambda: services.remove_provider(actor, provider_id), "The provider was removed.")
    elif act == "switch_provider":
        on = form.get("enabled") == "1"
        words = "The provider is on." if on else "The provider is off."
        attempt(request, lambda: services.update_provider(actor, provider_id, enabled=on), words)
    elif act == "add_model":
        name = form.get("name", "").strip()
        attempt(
            request,
            lambda: services.add_model(actor, provider_id, name=name, **_prices(request)),
            f"{name} can be used now.",
        )
    elif act == "add_models":
        _add_models(request, actor, provider_id)
    elif act == "remove_model":
        attempt(request, lambda: services.remove_model(actor, entry_id), "The model was removed.")
    elif act == "route":
        chosen = list(dict.fromkeys(number(each) for each in form.getlist("entry") if number(each)))
        process = form.get("process", "")
        attempt(
            request,
            lambda: services.set_route(actor, process, chosen),
            "Saved. It holds from the next request on.",
        )


def _add_provider(request: HttpRequest, actor: Actor) -> None:
    form = request.POST
    attempt(
        request,
        lambda: services.add_provider(
            actor,
            name=form.get("name", "").strip(),
            kind=form.get("kind", ""),
            api_key=form.get("api_key", "").strip(),
            base_url=form.get("base_url", "").strip(),
            models=[name.strip() for name in form.get("models", "").split(",") if name.strip()],
        ),
        "The provider was added. Test one of its models.",
    )


def _add_models(request: HttpRequest, actor: Actor, provider_id: int) -> None:
    names = request.POST.getlist("names")

    def add() -> None:
        for name in names:
            services.add_model(actor, provider_id, name=name)

    if names:
        attempt(request, add, f"{', '.join(names)} can be used now.")


def _prices(request: HttpRequest) -> dict[str, Decimal]:
    found = {field: read_price(request.POST.get(field, ""), field) for field in PRICES}
    return {field: price for field, price in found.items() if price is not None}
