"""References to secrets in a server's variables and headers: `secret:NAME`, alone or after a word such as Bearer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from accounts.errors import InvalidInput
from secret_store.models import Category, Secret
from secret_store.names import is_name
from secret_store.services import read_secret

REFERENCE = re.compile(r"((?:[A-Za-z]+ )?)secret:([A-Za-z0-9_]+)")
KEPT = "MCP_SIGN_IN_"
"""Begins the names of what is stored when a server is signed in to."""
TELLTALE = re.compile(r"key|token|secret|passw|credential|auth|cookie", re.IGNORECASE)


def references(values: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets that values refer to."""
    return {found[2] for value in values.values() if (found := REFERENCE.fullmatch(value))}


def check_values(values: Mapping[str, str], *, field: str) -> None:
    """Raise InvalidInput where a value looks secret and is written out, or a reference is malformed."""
    for name, value in values.items():
        found = REFERENCE.fullmatch(value)
        if found is None and "secret:" in value:
            raise InvalidInput(
                f"{name}: write secret:NAME, or Bearer secret:NAME, and nothing else.", field=field
            )
        if found is not None and found[2].startswith(KEPT):
            raise InvalidInput(f"{name}: what servers are signed in with is not handed on.", field=field)
        if found is not None and not is_name(found[2]):
            raise InvalidInput(f"{name}: there can be no secret called {found[2]}.", field=field)
        if found is None and value and TELLTALE.search(name):
            raise InvalidInput(
                f"{name} looks secret: store it as a secret and write secret:NAME here.", field=field
            )


def resolve(
    values: Mapping[str, str], *, organization_id: int, agent_id: int | None, for_program: bool = False
) -> dict[str, str]:
    """Return the values with secrets in their places. Raises SecretNotFound, KeyUnavailable, and InvalidInput for a
    secret that must not be handed to a program."""
    found = {}
    for name, value in values.items():
        match = REFERENCE.fullmatch(value)
        if match is None:
            found[name] = value
            continue
        if for_program:
            _check_category(organization_id, match[2], agent_id)
        found[name] = match[1] + read_secret(organization_id, match[2], agent_id=agent_id)
    return found


def _check_category(organization_id: int, name: str, agent_id: int | None) -> None:
    rows = Secret.objects.filter(
        organization_id=organization_id, name=name, agent_id__in=[agent_id] if agent_id else []
    )
    rows = rows or Secret.objects.filter(organization_id=organization_id, name=name, agent_id=None)
    if any(row.category != Category.TOOL for row in rows):
        raise InvalidInput(
            f"The secret {name} is a system secret, which no program is given. Store it as a tool secret."
        )
