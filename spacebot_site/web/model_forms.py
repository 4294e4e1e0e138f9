"""Changing a provider or one of its models, and asking a provider what it offers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from accounts.models import Role
from llm import queries
from llm.errors import LLMError
from llm.services.setup import list_offered_models, update_model, update_provider
from spacebot_site.web.door import page
from spacebot_site.web.forms import dialog, number

PRICES = {
    "input_price": "Input",
    "output_price": "Output",
    "cache_read_price": "Read from the cache",
    "cache_write_price": "Written to the cache",
}


@page(level=Role.ADMIN)
def provider(request: HttpRequest, actor: Actor, provider_id: int) -> HttpResponse:
    found = queries.get_provider(actor, provider_id)
    values: dict[str, Any] = {
        field: getattr(found, field) for field in ("name", "base_url", "timeout_s", "enabled")
    }
    problem = None
    if request.method == "POST":
        form = request.POST
        values = {
            "name": form.get("name", "").strip(),
            "base_url": form.get("base_url", "").strip(),
            "timeout_s": number(form.get("timeout_s")),
            "enabled": "enabled" in form,
        }
        key = {"api_key": form["api_key"].strip()} if form.get("api_key", "").strip() else {}
        try:
            update_provider(actor, found.pk, **values, **key)
        except AccountsError as error:
            problem = error
        else:
            notices.success(request, f"{values['name']} was changed. It holds from the next request on.")
            return redirect("models")
    shown = {"provider": found, "values": values, "problem": problem}
    return dialog(request, "settings/provider_form.html", f"Edit {found.name}", shown)


@page(level=Role.ADMIN)
def model(request: HttpRequest, actor: Actor, entry_id: int) -> HttpResponse:
    entry = queries.get_model(actor, entry_id)
    fields = ("label", "context_window", "max_output_tokens", "enabled", *PRICES)
    values: dict[str, Any] = {field: getattr(entry, field) for field in fields}
    problem = None
    if request.method == "POST":
        values = {field: request.POST.get(field, "").strip() for field in fields}
        values["enabled"] = "enabled" in request.POST
        try:
            update_model(actor, entry.pk, **_read_model(values))
        except AccountsError as error:
            problem = error
        else:
            notices.success(request, f"{entry.name} was changed. It holds from the next request on.")
            return redirect("models")
    shown = {
        "entry": entry,
        "values": values,
        "prices": [(field, label, plain(values[field])) for field, label in PRICES.items()],
        "problem": problem,
    }
    return dialog(request, "settings/model_form.html", f"Edit {entry.name}", shown)


@require_POST
@page(level=Role.ADMIN)
def offered(request: HttpRequest, actor: Actor, provider_id: int) -> HttpResponse:
    """Ask the provider which models it has; the page puts the answer under the button."""
    found = queries.get_provider(actor, provider_id)
    shown: dict[str, Any] = {"provider": found}
    try:
        names = list_offered_models(actor, found.pk)
    except LLMError as error:
        shown["problem"] = str(error)
    else:
        known = set(found.entries.values_list("name", flat=True))
        shown["names"] = [(name, name in known) for name in sorted(names)]
    return render(request, "settings/offered_models.html", shown)


def read_price(text: str, field: str) -> Decimal | None:
    """Return the price in a form field; None, which means unknown, where it is empty."""
    if not text.strip():
        return None
    try:
        price = Decimal(text.strip())
    except InvalidOperation:
        price = Decimal("nan")
    if not price.is_finite():
        raise InvalidInput("A price is a number.", field=field)
    return price


def plain(price: Decimal | str | None) -> str:
    """Write a price as one types it: without needless noughts."""
    if isinstance(price, Decimal):
        return f"{price.normalize():f}"
    return price or ""


def _read_model(values: dict[str, Any]) -> dict[str, Any]:
    label = values["label"]
    if len(label) > 80:
        raise InvalidInput("A label has at most 80 characters.", field="label")
    return {
        "label": label,
        "enabled": values["enabled"],
        "context_window": number(values["context_window"]),
        "max_output_tokens": number(values["max_output_tokens"]),
        **{field: read_price(values[field], field) for field in PRICES},
    }
