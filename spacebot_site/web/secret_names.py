"""Secrets by name: whose they are, when they were used; their keys, for an operator. Values go in and are never shown again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from accounts.models import Role
from agents.queries import list_agents
from secret_store import locking, portable, rotation, services, use_log
from secret_store.models import Category, Secret
from secret_store.scrubbing.forms import SHORTEST_BYTES
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number

MOST_FILE_BYTES = 8_000_000
MOST_USES = 200


@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        if request.POST.get("act") == "export":
            return _export(request, actor)
        _change(request, actor)
        return redirect("secrets")
    agents = list(list_agents(actor))
    is_operator = actor.user.is_superuser
    shown = {
        "secrets": _rows(actor, {agent.pk: agent.name for agent in agents}),
        "agents": agents,
        "categories": Category.choices,
        "shortest": SHORTEST_BYTES,
        "locked_since": locking.locked_since(),
        "is_owner": actor.has_level(Role.OWNER),
        "is_operator": is_operator,
        "keys": rotation.look_at_keys() if is_operator else None,
    }
    return render(request, "settings/secrets.html", shown)


@require_GET
@page(level=Role.ADMIN)
def one(request: HttpRequest, actor: Actor, secret_id: int) -> HttpResponse:
    secret = services.get_secret(actor, secret_id)
    names = {agent.pk: agent.name for agent in list_agents(actor)}
    uses = use_log.list_uses(actor, secret_id=secret.pk)[:MOST_USES]
    return render(
        request, "settings/secret.html", {"secret": secret, "holder": _holder(secret, names), "uses": uses}
    )


def _rows(actor: Actor, names: dict[int, str]) -> list[dict[str, Any]]:
    secrets = list(use_log.with_last_use(services.list_secrets(actor)))
    shared = {secret.name for secret in secrets if secret.agent_id is None}
    return [
        {
            "secret": secret,
            "holder": _holder(secret, names),
            "shadows": secret.agent_id is not None and secret.name in shared,
            "used_at": secret.__dict__["used_at"],
        }
        for secret in secrets
    ]


def _holder(secret: Secret, names: dict[int, str]) -> str:
    if secret.agent_id is None:
        return "Every agent"
    return names.get(secret.agent_id, f"Agent {secret.agent_id}, who is gone")


def _change(request: HttpRequest, actor: Actor) -> None:
    acts: dict[str, tuple[Callable[[], object], str]] = {
        "rotate_data": (lambda: rotation.rotate_data_key(actor), "Every secret is under a new data key."),
        "rotate_master": (
            lambda: rotation.rotate_master_key(actor),
            "A new master key is in place. Back it up now.",
        ),
        "lock": (lambda: locking.lock(actor, request.POST.get("passphrase", "")), "All secrets are locked."),
        "unlock": (
            lambda: locking.unlock(actor, request.POST.get("passphrase", "")),
            "The secrets can be read again.",
        ),
        "delete": (lambda: _delete(request, actor), f"{_name(request)} was deleted."),
        "import": (lambda: _import(request, actor), "The file was read."),
    }
    act, done = acts.get(
        request.POST.get("act", ""),
        (lambda: _store(request, actor), f"{_name(request)} is stored, encrypted."),
    )
    attempt(request, act, done)


def _name(request: HttpRequest) -> str:
    return request.POST.get("name", "").strip()


def _store(request: HttpRequest, actor: Actor) -> None:
    form = request.POST
    agent_id = number(form.get("agent")) or None
    if agent_id is not None and not list_agents(actor).filter(pk=agent_id).exists():
        raise InvalidInput("There is no such agent.", field="agent")
    services.set_secret(
        actor,
        actor.organization,
        name=_name(request),
        value=form.get("value", ""),
        category=form.get("category") or None,
        agent_id=agent_id,
        origins=form.get("origins", "").split() or None,
    )


def _delete(request: HttpRequest, actor: Actor) -> None:
    agent_id = number(request.POST.get("agent")) or None
    services.delete_secret(actor, actor.organization, name=_name(request), agent_id=agent_id)


def _export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Answer with the file itself; who has just given their password gets it once."""
    try:
        sealed = portable.export_secrets(
            actor, passphrase=request.POST.get("passphrase", ""), password=request.POST.get("password", "")
        )
    except AccountsError as error:
        messages.error(request, str(error))
        return redirect("secrets")
    response = JsonResponse(sealed)
    response["Content-Disposition"] = f'attachment; filename="secrets-{actor.organization.slug}.json"'
    response["Cache-Control"] = "no-store"
    return response


def _import(request: HttpRequest, actor: Actor) -> None:
    file = request.FILES.get("file")
    if file is None or (file.size or 0) > MOST_FILE_BYTES:
        raise InvalidInput("Choose a file of at most 8 MB.", field="file")
    try:
        sealed = json.loads(file.read())
    except ValueError:
        raise InvalidInput("The file is not an export of secrets.", field="file") from None
    done = portable.import_secrets(
        actor, sealed, passphrase=request.POST.get("passphrase", ""), overwrite="overwrite" in request.POST
    )
    messages.info(request, f"{len(done.stored)} stored, {len(done.skipped)} left as they were.")
