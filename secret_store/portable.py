"""Taking an organization's secrets along: one file, sealed under a passphrase."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from accounts.errors import Forbidden, InvalidInput
from accounts.models import Role
from accounts.services import audit
from secret_store.crypto import binding, unseal, unwrap
from secret_store.models import Category, Secret
from secret_store.names import check_name, check_origin, check_value
from secret_store.passphrase import seal
from secret_store.passphrase import unseal as open_sealed
from secret_store.services import set_secret

PURPOSE = "secrets"
MOST_SECRETS = 5_000
_find_agents: list[Callable[[int], dict[int, str]]] = []


@dataclass(frozen=True)
class Imported:
    """What an import did, by name."""

    stored: tuple[str, ...]
    skipped: tuple[str, ...]


def set_agent_slugs(find: Callable[[int], dict[int, str]]) -> None:
    """Let a higher package name an organization's agents, by id: an export names them, an import finds them again."""
    _find_agents[:] = [find]


def check_again(actor: Actor, password: str) -> None:
    """Raise Forbidden unless the actor is an owner who has just given their own password."""
    actor.check_level(Role.OWNER)
    actor.check_scope("secrets:write")
    if not actor.user.has_usable_password():
        raise Forbidden("Set a password first: it is asked for here.")
    if not actor.user.check_password(password):
        raise Forbidden("The password is wrong.")


def export_secrets(actor: Actor, *, passphrase: str, password: str) -> dict[str, Any]:
    """Return the organization's secrets as a sealed JSON object. Owners may, with their password; audited."""
    check_again(actor, password)
    slugs = _slugs(actor)
    rows = []
    for secret in (
        Secret.objects.filter(organization=actor.organization).select_related("data_key").order_by("pk")
    ):
        bound_to = binding(secret.organization_id, secret.agent_id, secret.name)
        value = unseal(unwrap(secret.data_key), bytes(secret.nonce), bytes(secret.ciphertext), bound_to)
        agent = slugs.get(secret.agent_id, f"#{secret.agent_id}") if secret.agent_id is not None else None
        rows.append(
            {
                "name": secret.name,
                "category": secret.category,
                "agent": agent,
                "origins": secret.origins,
                "value": value,
            }
        )
    sealed = seal(json.dumps({"secrets": rows}).encode(), passphrase, purpose=PURPOSE)
    audit.record(actor, actor.organization, "secret.exported", count=len(rows))
    return sealed


def import_secrets(actor: Actor, sealed: Any, *, passphrase: str, overwrite: bool = False) -> Imported:
    """Store what a file holds, all or nothing. What exists is left as it is, unless `overwrite`.

    An agent's secret finds its agent by its slug; where there is none, the whole import is refused.
    """
    actor.check_level(Role.ADMIN)
    actor.check_scope("secrets:write")
    rows = _rows(open_sealed(sealed, passphrase, purpose=PURPOSE))
    agents = {slug: pk for pk, slug in _slugs(actor).items()}
    stored, skipped = [], []
    with transaction.atomic():
        existing = set(Secret.objects.filter(organization=actor.organization).values_list("name", "agent_id"))
        for row in rows:
            if row["agent"] is not None and row["agent"] not in agents:
                raise InvalidInput(
                    f"{row['name']} belongs to the agent {row['agent']!r}, who is not here.", field="file"
                )
            agent_id = agents[row["agent"]] if row["agent"] is not None else None
            if (row["name"], agent_id) in existing and not overwrite:
                skipped.append(row["name"])
                continue
            set_secret(
                actor,
                actor.organization,
                name=row["name"],
                value=row["value"],
                category=row["category"],
                agent_id=agent_id,
                origins=row["origins"],
            )
            stored.append(row["name"])
        audit.record(
            actor,
            actor.organization,
            "secret.imported",
            stored=len(stored),
            skipped=len(skipped),
            overwrite=overwrite,
        )
    return Imported(tuple(stored), tuple(skipped))


def _rows(content: bytes) -> list[dict[str, Any]]:
    """Check everything before anything is stored."""
    try:
        rows = json.loads(content)["secrets"]
    except (ValueError, KeyError, TypeError):
        raise InvalidInput("The content is not a list of secrets.", field="file") from None
    if not isinstance(rows, list) or len(rows) > MOST_SECRETS:
        raise InvalidInput(f"A file holds a list of at most {MOST_SECRETS:,} secrets.", field="file")
    seen = set()
    for row in rows:
        if not isinstance(row, dict) or set(row) != {"name", "category", "agent", "origins", "value"}:
            raise InvalidInput("A secret in the file is not as it should be.", field="file")
        texts = [row["name"], row["category"], row["value"]]
        if not all(isinstance(text, str) for text in texts) or not isinstance(row["agent"], str | None):
            raise InvalidInput("A secret in the file is not as it should be.", field="file")
        if not isinstance(row["origins"], list) or not all(isinstance(each, str) for each in row["origins"]):
            raise InvalidInput("The origins of a secret in the file are not a list.", field="file")
        check_name(row["name"])
        check_value(row["value"])
        row["origins"] = [check_origin(each) for each in row["origins"]]
        if row["category"] not in Category.values:
            raise InvalidInput(f"There is no category {row['category']}.", field="file")
        if (row["name"], row["agent"]) in seen:
            raise InvalidInput(f"The file names {row['name']} twice.", field="file")
        seen.add((row["name"], row["agent"]))
    return rows


def _slugs(actor: Actor) -> dict[int, str]:
    return _find_agents[0](actor.organization.pk) if _find_agents else {}
