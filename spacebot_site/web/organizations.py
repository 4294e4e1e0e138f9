"""Changing the organization one acts in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.actor import Actor
from accounts.auth import SESSION_KEY
from accounts.queries import get_actor
from spacebot_site.web.door import page


@require_POST
@page()
def switch(request: HttpRequest, actor: Actor) -> HttpResponse:
    chosen = get_actor(actor.user, request.POST.get("organization", ""))
    request.session[SESSION_KEY] = chosen.organization.pk
    return redirect("home")
