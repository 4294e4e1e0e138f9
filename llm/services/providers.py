"""Setting up providers, their models and the routes to them. Each write is an admin's, audited, and seen at once."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from accounts.actor import Actor
from accounts.checks import check_line
from accounts.errors import Conflict, InvalidInput
from accounts.models import Organization, Role
from accounts.services import audit
from llm import queries
from llm.models import ModelEntry, Process, Provider, ProviderKind, Route
from llm.services.routing import forget_routing
from secret_store.errors import SecretNotFound
from secret_store.models import Secret
from secret_store.services import delete_secret, set_secret

REAL_KINDS = (ProviderKind.OPENAI_CHAT, ProviderKind.OPENAI_RESPONSES, ProviderKind.ANTHROPIC)
ENTRY_FIELDS = {
    "label",
    "context_window",
    "max_output_tokens",
    "input_price",
    "output_price",
    "cache_read_price",
    "cache_write_price",
    "enabled",
}


def add_provider(
    actor: Actor,
    *,
    name: str,
    kind: str,
    api_key: str = "",
    base_url: str = "",
    timeout_s: int = 300,
    models: Sequence[str] = (),
) -> Provider:
    """Create a provider, its key as a secret, and an entry for each of `models`. The first entry of an organization
    without routes becomes the model of every process."""
    _check_writer(actor)
    return create_provider(
        actor,
        actor.organization,
        name=name,
        kind=kind,
        api_key=api_key,
        base_url=base_url,
        timeout_s=timeout_s,
        models=models,
    )


def create_provider(
    actor: Actor | None,
    organization: Organization,
    *,
    name: str,
    kind: str,
    api_key: str = "",
    base_url: str = "",
    timeout_s: int = 300,
    models: Sequence[str] = (),
) -> Provider:
    """Do the work of `add_provider`; without an actor it is set-up's own act."""
    name = _checked_name(organization, name)
    if kind not in REAL_KINDS:
        raise InvalidInput(f"There is no kind of provider {kind}.", field="kind")
    with transaction.atomic():
        provider = Provider.objects.create(
            organization=organization,
            name=name,
            kind=kind,
            base_url=_checked_url(base_url),
            timeout_s=_checked_timeout(timeout_s),
        )
        if api_key:
            _store_key(actor, provider, api_key)
        entries = [_create_entry(provider, model) for model in dict.fromkeys(models)]
        if entries and not Route.objects.filter(organization=organization).exists():
            _route_everything(organization, entries[0])
        audit.record(actor, organization, "provider.added", name, kind=kind, base_url=provider.base_url)
    forget_routing(organization.pk)
    return provider


def update_provider(actor: Actor, provider_id: int, **changes: Any) -> Provider:
    """Change name, base_url, api_key, timeout_s or enabled.

    An address on another host needs the key again: a stored key, which nobody can read, must not be sent there."""
    _check_writer(actor)
    provider = queries.get_provider(actor, provider_id)
    unknown = set(changes) - {"name", "base_url", "api_key", "timeout_s", "enabled"}
    if unknown:
        raise InvalidInput(f"A provider has no {min(unknown)}.", field=min(unknown))
    if "name" in changes and changes["name"] != provider.name:
        provider.name = _checked_name(actor.organization, changes["name"])
    if "base_url" in changes:
        base_url = _checked_url(changes["base_url"])
        if (
            provider.secret_name
            and not changes.get("api_key")
            and _origin(base_url) != _origin(provider.base_url)
        ):
            raise InvalidInput("A new address needs the key again.", field="api_key")
        provider.base_url = base_url
    if "timeout_s" in changes:
        provider.timeout_s = _checked_timeout(changes["timeout_s"])
    if "enabled" in changes:
        provider.enabled = bool(changes["enabled"])
    with transaction.atomic():
        provider.save()
        if changes.get("api_key"):
            _store_key(actor, provider, changes["api_key"])
        audit.record(actor, actor.organization, "provider.changed", provider.name, fields=sorted(changes))
    forget_routing(actor.organization.pk)
    return provider


def remove_provider(actor: Actor, provider_id: int) -> None:
    """Delete a provider with its models, their routes and its key."""
    _check_writer(actor)
    provider = queries.get_provider(actor, provider_id)
    with transaction.atomic():
        name, secret_name = provider.name, provider.secret_name
        provider.delete()
        if (
            secret_name
            and not Provider.objects.filter(organization=actor.organization, secret_name=secret_name).exists()
        ):
            with contextlib.suppress(SecretNotFound):
                delete_secret(actor, actor.organization, name=secret_name)
        audit.record(actor, actor.organization, "provider.removed", name)
    forget_routing(actor.organization.pk)


def add_model(actor: Actor, provider_id: int, *, name: str, **fields: Any) -> ModelEntry:
    """Add a model of a provider; `fields` are those of ENTRY_FIELDS."""
    _check_writer(actor)
    provider = queries.get_provider(actor, provider_id)
    with transaction.atomic():
        entry = _create_entry(provider, name, **_checked_fields(fields))
        if not Route.objects.filter(organization=actor.organization).exists():
            _route_everything(actor.organization, entry)
        audit.record(actor, actor.organization, "model.added", name, provider=provider.name)
    forget_routing(actor.organization.pk)
    return entry


def update_model(actor: Actor, entry_id: int, **fields: Any) -> ModelEntry:
    """Change fields of ENTRY_FIELDS."""
    _check_writer(actor)
    entry = queries.get_model(actor, entry_id)
    for field, value in _checked_fields(fields).items():
        setattr(entry, field, value)
    if "context_window" in fields:
        entry.learned_window = None  # Whoever sets it knows better than an old refusal.
    with transaction.atomic():
        entry.save()
        audit.record(actor, actor.organization, "model.changed", entry.name, fields=sorted(fields))
    forget_routing(actor.organization.pk)
    return entry


def remove_model(actor: Actor, entry_id: int) -> None:
    """Delete a model and the routes to it."""
    _check_writer(actor)
    entry = queries.get_model(actor, entry_id)
    with transaction.atomic():
        audit.record(actor, actor.organization, "model.removed", entry.name)
        entry.delete()
    forget_routing(actor.organization.pk)


def set_route(actor: Actor, process: str, entry_ids: Sequence[int]) -> list[Route]:
    """Let a kind of process use these models, first choice first. An empty list: the channel's models."""
    _check_writer(actor)
    if process not in Process.values:
        raise InvalidInput(f"There is no kind of process {process}.", field="process")
    entries = [queries.get_model(actor, entry_id) for entry_id in dict.fromkeys(entry_ids)]
    with transaction.atomic():
        # The lock makes two writers of the same route follow each other.
        Organization.objects.select_for_update(no_key=True).get(pk=actor.organization.pk)
        Route.objects.filter(organization=actor.organization, process=process).delete()
        routes = Route.objects.bulk_create(
            Route(organization=actor.organization, process=process, position=position, entry=entry)
            for position, entry in enumerate(entries)
        )
        names = [entry.name for entry in entries]
        audit.record(actor, actor.organization, "route.changed", process, models=names)
    forget_routing(actor.organization.pk)
    return routes


def _check_writer(actor: Actor) -> None:
    actor.check_level(Role.ADMIN)
    actor.check_scope("models:write")


def _create_entry(provider: Provider, name: str, **fields: Any) -> ModelEntry:
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise InvalidInput("A model needs a name of at most 120 characters.", field="name")
    if provider.entries.filter(name=name).exists():
        raise Conflict(f"{provider.name} has the model {name} already.")
    return ModelEntry.objects.create(
        organization_id=provider.organization_id, provider=provider, name=name, **fields
    )


def _route_everything(organization: Organization, entry: ModelEntry) -> None:
    Route.objects.bulk_create(
        Route(organization=organization, process=process, position=0, entry=entry)
        for process in Process.values
    )


def _store_key(actor: Actor | None, provider: Provider, api_key: str) -> None:
    """Keep the key as a secret of a name that no other provider or person uses."""
    if not provider.secret_name:
        wanted = re.sub(r"[^A-Z0-9]+", "_", provider.name.upper()).strip("_")[:60]
        name = f"{wanted}_API_KEY" if re.match(r"[A-Z]", wanted) else f"PROVIDER_{provider.pk}_API_KEY"
        if Secret.objects.filter(organization=provider.organization, name=name).exists():
            name = f"PROVIDER_{provider.pk}_API_KEY"
        provider.secret_name = name
        provider.save(update_fields=["secret_name"])
    set_secret(
        actor, provider.organization, name=provider.secret_name, value=api_key.strip(), category="system"
    )


def _checked_name(organization: Organization, name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise InvalidInput("A provider needs a name of at most 60 characters.", field="name")
    if Provider.objects.filter(organization=organization, name__iexact=name).exists():
        raise Conflict(f"There is a provider {name} already.")
    return name


def _checked_url(url: str) -> str:
    url = url.strip().rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or len(url) > 200:
        raise InvalidInput("The address must look like https://host/v1.", field="base_url")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput("The address must not hold a key or a query.", field="base_url")
    return url


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _checked_timeout(timeout_s: int) -> int:
    if not 5 <= timeout_s <= 3_600:
        raise InvalidInput("The timeout must be between 5 and 3600 seconds.", field="timeout_s")
    return timeout_s


def _is_price(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value < 100_000


def _checked_fields(fields: dict[str, Any]) -> dict[str, Any]:
    fields = dict(fields)
    if label := fields.get("label", "").strip():
        label = check_line(label, field="label", max_length=80)
    if "label" in fields:
        fields["label"] = label
    for field, value in fields.items():
        if field not in ENTRY_FIELDS:
            raise InvalidInput(f"A model has no {field}.", field=field)
        if field.endswith("_price") and value is not None and not _is_price(Decimal(value)):
            raise InvalidInput("A price is a number of dollars per million tokens.", field=field)
        if field in ("context_window", "max_output_tokens") and not 1 <= int(value) <= 100_000_000:
            raise InvalidInput("This must be a number of tokens.", field=field)
    return fields
