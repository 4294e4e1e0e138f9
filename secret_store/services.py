"""Store, read and delete secrets. People can write them and see their names; only code reads them back."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import InvalidInput, NotFound
from accounts.models import Organization
from accounts.services import audit
from secret_store.crypto import binding, current_data_key, seal, unseal, unwrap
from secret_store.errors import SecretNotFound
from secret_store.models import Category, Secret
from secret_store.names import check_name, check_value, is_name

SHORTEST_HINTED = 16


def set_secret(
    actor: Actor | None,
    organization: Organization,
    *,
    name: str,
    value: str,
    category: str = Category.SYSTEM,
    agent_id: int | None = None,
) -> Secret:
    """Store a value under a name, in place of any before it. Without an actor it is set-up's own act.

    Raises KeyUnavailable when it cannot be encrypted so that it can be read again; the old value stays.
    """
    _check_may_write(actor, organization)
    name, value = check_name(name), check_value(value)
    if category not in Category.values:
        raise InvalidInput(f"There is no category {category}.", field="category")
    with transaction.atomic():
        data_key, key = current_data_key()
        nonce, ciphertext = seal(key, value, binding(organization.pk, agent_id, name))
        secret, created = Secret.objects.update_or_create(
            organization=organization,
            agent_id=agent_id,
            name=name,
            defaults={
                "category": category,
                "data_key": data_key,
                "nonce": nonce,
                "ciphertext": ciphertext,
                "hint": value[-4:] if len(value) >= SHORTEST_HINTED and value.isprintable() else "",
            },
        )
        audit.record(
            actor,
            organization,
            "secret.set",
            name,
            agent_id=agent_id,
            category=str(category),
            created=created,
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


def read_secret(organization_id: int, name: str, *, agent_id: int | None = None) -> str:
    """Return the agent's value, or else the organization's; for code only, never for people.

    An agent's secret that cannot be decrypted raises KeyUnavailable; the shared one does not stand in for it.
    """
    secret = _visible(organization_id, name, agent_id).select_related("data_key").first()
    if secret is None:
        raise SecretNotFound(name)
    bound_to = binding(organization_id, secret.agent_id, name)
    return unseal(unwrap(secret.data_key), bytes(secret.nonce), bytes(secret.ciphertext), bound_to)


def has_secret(organization_id: int, name: str, *, agent_id: int | None = None) -> bool:
    """Tell whether `read_secret` would find one, without decrypting it."""
    return _visible(organization_id, name, agent_id).exists()


def list_secrets(actor: Actor) -> QuerySet[Secret]:
    """Return the organization's secrets by name, without what they hold."""
    actor.check_scope("secrets:read")
    secrets = Secret.objects.filter(organization=actor.organization)
    return secrets.defer("nonce", "ciphertext").order_by("name", F("agent_id").asc(nulls_first=True))


def _visible(organization_id: int, name: str, agent_id: int | None) -> QuerySet[Secret]:
    """The agent's secret of this name, then the shared one."""
    whose = Q(agent_id=None) if agent_id is None else Q(agent_id=None) | Q(agent_id=agent_id)
    found = Secret.objects.filter(whose, organization_id=organization_id, name=name)
    return found.order_by(F("agent_id").asc(nulls_last=True))


def _check_may_write(actor: Actor | None, organization: Organization) -> None:
    if actor is None:
        return
    if actor.organization != organization:
        raise NotFound("There is no such organization.")
    actor.check_scope("secrets:write")
