"""API tokens. A new one is shown once, in the answer that made it, and never again."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts.actor import Actor
from accounts.errors import AccountsError
from accounts.queries import list_tokens
from accounts.scopes import allowed_scopes
from accounts.services import tokens as services
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number

LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "a year"), (0, "no end"))


@never_cache
@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    raw = ""
    if request.POST.get("act") == "revoke":
        token_id = number(request.POST.get("token"))
        attempt(request, lambda: services.revoke_token(actor, token_id), "The token does not work any more.")
        return redirect("tokens")
    if request.method == "POST":
        try:
            raw = _create(request, actor)
        except AccountsError as error:
            messages.error(request, str(error))
            return redirect("tokens")
    return render(
        request,
        "settings/tokens.html",
        {
            "tokens": list_tokens(actor),
            "raw": raw,
            "scopes": sorted(allowed_scopes(actor.role)),
            "lifetimes": LIFETIMES,
            "now": timezone.now(),
        },
    )


def _create(request: HttpRequest, actor: Actor) -> str:
    days = number(request.POST.get("days"))
    _, raw = services.create_token(
        actor,
        name=request.POST.get("name", ""),
        scopes=request.POST.getlist("scopes"),
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    return raw
