"""Secrets over HTTP: names go out, values only come in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_basics import Id, Needs, Page, Strict, actor_of
from secret_store import locking, portable, rotation, services, use_log
from secret_store.models import Secret

router = Router()
MOST_USES = 500


class SecretOut(Schema):
    name: str
    category: str
    agent_id: int | None
    origins: list[str]
    hint: str
    created_at: datetime
    updated_at: datetime


class SecretIn(Strict):
    value: str
    category: str | None = None
    agent_id: Id | None = None
    origins: list[str] | None = None


class UseOut(Schema):
    name: str
    secret_id: int
    purpose: str
    origin: str
    run_id: int | None
    agent_id: int | None
    count: int
    first_at: datetime
    last_at: datetime


class KeysOut(Schema):
    """`behind` counts secrets that are not under the newest data key; `unfinished` tells of a master key's rotation."""

    locked_since: datetime | None
    data_key: int | None
    behind: int
    unfinished: bool


class PassphraseIn(Strict):
    passphrase: str = Field(min_length=1, max_length=1_000)


class ExportIn(PassphraseIn):
    password: str = Field(min_length=1, max_length=1_000)


class ImportIn(PassphraseIn):
    file: dict[str, Any]
    overwrite: bool = False


class ImportOut(Schema):
    stored: list[str]
    skipped: list[str]


def secret_payload(secret: Secret) -> dict[str, Any]:
    return {name: getattr(secret, name) for name in SecretOut.model_fields}


@router.get("/secrets", response=Page[SecretOut], auth=Needs("secrets:read"))
def list_secrets(request: HttpRequest) -> dict[str, Any]:
    return {
        "items": [secret_payload(each) for each in services.list_secrets(actor_of(request))],
        "next": None,
    }


# The fixed addresses come first: a name could be read into them.
@router.get("/secrets/uses", response=Page[UseOut], auth=Needs("secrets:read"))
def list_uses(request: HttpRequest) -> dict[str, Any]:
    """List who used which secret, newest first."""
    uses = use_log.list_uses(actor_of(request))[:MOST_USES]
    names = [name for name in UseOut.model_fields if name != "name"]
    items = [{"name": use.secret.name, **{name: getattr(use, name) for name in names}} for use in uses]
    return {"items": items, "next": None}


@router.get("/secrets/keys", response=KeysOut, auth=Needs("secrets:read"))
def show_keys(request: HttpRequest) -> dict[str, Any]:
    """Tell whether the secrets are locked and whether a rotation is unfinished."""
    actor_of(request).check_scope("secrets:read")
    return _keys()


@router.post("/secrets/export", response=dict[str, Any], auth=Needs("secrets:write"))
def export(request: HttpRequest, body: ExportIn) -> dict[str, Any]:
    """Return all secrets, sealed under a passphrase. Owners may, with their own password."""
    return portable.export_secrets(actor_of(request), passphrase=body.passphrase, password=body.password)


@router.post("/secrets/import", response=ImportOut, auth=Needs("secrets:write"))
def import_file(request: HttpRequest, body: ImportIn) -> dict[str, Any]:
    """Store what an export holds, all or nothing; what exists is skipped unless `overwrite`."""
    done = portable.import_secrets(
        actor_of(request), body.file, passphrase=body.passphrase, overwrite=body.overwrite
    )
    return {"stored": list(done.stored), "skipped": list(done.skipped)}


@router.post("/secrets/rotate-data-key", response=KeysOut, auth=Needs("secrets:write"))
def rotate_data_key(request: HttpRequest) -> dict[str, Any]:
    """Encrypt every secret with a new data key. Operators may, signed in."""
    rotation.rotate_data_key(actor_of(request))
    return _keys()


@router.post("/secrets/rotate-master-key", response=KeysOut, auth=Needs("secrets:write"))
def rotate_master_key(request: HttpRequest) -> dict[str, Any]:
    """Put a new master key in place. Operators may, signed in."""
    rotation.rotate_master_key(actor_of(request))
    return _keys()


@router.post("/secrets/lock", response=KeysOut, auth=Needs("secrets:write"))
def lock(request: HttpRequest, body: PassphraseIn) -> dict[str, Any]:
    """Lock all secrets of the installation. Operators may, signed in."""
    locking.lock(actor_of(request), body.passphrase)
    return _keys()


@router.post("/secrets/unlock", response=KeysOut, auth=Needs("secrets:write"))
def unlock(request: HttpRequest, body: PassphraseIn) -> dict[str, Any]:
    """Unlock them with the passphrase of the lock. Operators may, signed in."""
    locking.unlock(actor_of(request), body.passphrase)
    return _keys()


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
        origins=body.origins,
    )
    return secret_payload(secret)


@router.delete("/secrets/{name}", response={204: None}, auth=Needs("secrets:write"))
def delete_secret(request: HttpRequest, name: str, agent_id: Id | None = None) -> Status[None]:
    actor = actor_of(request)
    services.delete_secret(actor, actor.organization, name=name, agent_id=agent_id)
    return Status(204, None)


def _keys() -> dict[str, Any]:
    keys = rotation.look_at_keys()
    return {
        "locked_since": locking.locked_since(),
        "data_key": keys.data_key.pk if keys.data_key else None,
        "behind": keys.behind,
        "unfinished": keys.unfinished,
    }
