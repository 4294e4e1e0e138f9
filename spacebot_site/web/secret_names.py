"""Secrets by name. Values go in and are never shown again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from accounts.models import Role
from secret_store import services
from secret_store.models import Category
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        _change(request, actor)
        return redirect("secrets")
    shown = {"secrets": services.list_secrets(actor), "categories": Category.choices}
    return render(request, "settings/secrets.html", shown)


def _change(request: HttpRequest, actor: Actor) -> None:
    form, name = request.POST, request.POST.get("name", "").strip()
    if form.get("act") == "delete":
        attempt(
            request,
            lambda: services.delete_secret(actor, actor.organization, name=name),
            f"{name} was deleted.",
        )
        return
    attempt(
        request,
        lambda: services.set_secret(
            actor,
            actor.organization,
            name=name,
            value=form.get("value", ""),
            category=form.get("category", Category.SYSTEM),
        ),
        f"{name} is stored, encrypted.",
    )
