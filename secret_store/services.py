"""Store, read and delete secrets. People can write them and see their names; only code reads them back."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import InvalidInput, NotFound
from accounts.models import Organization
from accounts.services import audit
from secret_store.crypto import binding, current_data_key, seal, unseal, unwrap
from secret_store.errors import SecretNotFound
from secret_store.models import Category, Secret
from secret_store.names import check_name, check_origin, check_value, is_name
from secret_store.use_log import note

SHORTEST_HINTED = 16


def set_secret(
    actor: Actor | None,
    organization: Organization,
    *,
    name: str,
    value: str,
    category: str | None = None,
    agent_id: int | None = None,
    origins: Iterable[str] | None = None,
) -> Secret:
    """Store a value under a name, in place of any before it. Without an actor it is set-up's own act.

    Without a category a new secret is a system one, and another stays what it was.

    `origins` are the sites a tool secret may be typed into; None leaves them as they were.

    Raises KeyUnavailable when it cannot be encrypted so that it can be read again; the old value stays.
    """
    _check_may_write(actor, organization)
    name, value = check_name(name), check_value(value)
    if category is not None and category not in Category.values:
        raise InvalidInput(f"There is no category {category}.", field="category")
    bound = {} if origins is None else {"origins": sorted({check_origin(each) for each in origins})}
    with transaction.atomic():
        data_key, key = current_data_key()
        nonce, ciphertext = seal(key, value, binding(organization.pk, agent_id, name))
        secret, created = Secret.objects.update_or_create(
            organization=organization,
            agent_id=agent_id,
            name=name,
            defaults={
                **({"category": category} if category else {}),
                "data_key": data_key,
                "nonce": nonce,
                "ciphertext": ciphertext,
                "hint": value[-4:] if len(value) >= SHORTEST_HINTED and value.isprintable() else "",
                **bound,
            },
        )
        audit.record(
            actor,
            organization,
            "secret.set",
            name,
            agent_id=agent_id,
            category=str(secret.category),
            created=created,
            **bound,
        )
    return secret


def delete_secret(
    actor: Actor | None, organization: Organization, *, name: str, agent_id: int | None = None
) -> None:
    """Delete the secret of exactly this agent, or the shared one. Raises SecretNotFound."""
    _check_may_write(actor, organization)
    if not is_name(name):
        raise SecretNotFound(name)
    with transaction.atomic():
        deleted, _ = Secret.objects.filter(organization=organization, agent_id=agent_id, name=name).delete()
        if not deleted:
            raise SecretNotFound(name)
        audit.record(actor, organization, "secret.deleted", name, agent_id=agent_id)


def read_secret(
    organization_id: int, name: str, *, agent_id: int | None = None, purpose: str = "read by Spacebot"
) -> str:
    """Return the agent's value, or else the organization's; for code only, never for people. `purpose` goes into the log.

    An agent's secret that cannot be decrypted raises KeyUnavailable; the shared one does not stand in for it.
    """
    secret = visible_secrets(organization_id, agent_id).filter(name=name).select_related("data_key").first()
    if secret is None:
        raise SecretNotFound(name)
    bound_to = binding(organization_id, secret.agent_id, name)
    value = unseal(unwrap(secret.data_key), bytes(secret.nonce), bytes(secret.ciphertext), bound_to)
    note(secret, purpose, agent_id=agent_id)
    return value


def has_secret(organization_id: int, name: str, *, agent_id: int | None = None) -> bool:
    """Tell whether `read_secret` would find one, without decrypting it."""
    return visible_secrets(organization_id, agent_id).filter(name=name).exists()


def list_secrets(actor: Actor) -> QuerySet[Secret]:
    """Return the organization's secrets by name, without what they hold."""
    actor.check_scope("secrets:read")
    secrets = Secret.objects.filter(organization=actor.organization)
    return secrets.defer("nonce", "ciphertext").order_by("name", F("agent_id").asc(nulls_first=True))


def get_secret(actor: Actor, secret_id: int) -> Secret:
    """Return one of the organization's secrets, without what it holds."""
    secret = list_secrets(actor).filter(pk=secret_id).first()
    if secret is None:
        raise NotFound("There is no such secret.")
    return secret


def visible_secrets(organization_id: int, agent_id: int | None) -> QuerySet[Secret]:
    """Return what an agent may use: its own secrets, then the shared ones, which they shadow."""
    whose = Q(agent_id=None) if agent_id is None else Q(agent_id=None) | Q(agent_id=agent_id)
    found = Secret.objects.filter(whose, organization_id=organization_id)
    return found.order_by(F("agent_id").asc(nulls_last=True))


def _check_may_write(actor: Actor | None, organization: Organization) -> None:
    if actor is None:
        return
    if actor.organization != organization:
        raise NotFound("There is no such organization.")
    actor.check_scope("secrets:write")
