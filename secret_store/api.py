"""Secrets over HTTP: names go out, values only come in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.api_basics import Id, Needs, Page, Strict, actor_of
from secret_store import services
from secret_store.models import Secret

router = Router()


class SecretOut(Schema):
    name: str
    category: str
    agent_id: int | None
    hint: str
    created_at: datetime
    updated_at: datetime


class SecretIn(Strict):
    value: str
    category: str = "system"
    agent_id: Id | None = None


def secret_payload(secret: Secret) -> dict[str, Any]:
    return {name: getattr(secret, name) for name in SecretOut.model_fields}


@router.get("/secrets", response=Page[SecretOut], auth=Needs("secrets:read"))
def list_secrets(request: HttpRequest) -> dict[str, Any]:
    return {
        "items": [secret_payload(each) for each in services.list_secrets(actor_of(request))],
        "next": None,
    }


@router.put("/secrets/{name}", response=SecretOut, auth=Needs("secrets:write"))
def set_secret(request: HttpRequest, name: str, body: SecretIn) -> dict[str, Any]:
    """Store a value under a name, in place of any before it."""
    actor = actor_of(request)
    secret = services.set_secret(
        actor,
        actor.organization,
        name=name,
        value=body.value,
        category=body.category,
        agent_id=body.agent_id,
    )
    return secret_payload(secret)


@router.delete("/secrets/{name}", response={204: None}, auth=Needs("secrets:write"))
def delete_secret(request: HttpRequest, name: str, agent_id: Id | None = None) -> Status[None]:
    actor = actor_of(request)
    services.delete_secret(actor, actor.organization, name=name, agent_id=agent_id)
    return Status(204, None)
