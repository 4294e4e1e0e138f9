"""Handing values to what needs them: subprocesses of tools, and pages that they are typed into."""

from __future__ import annotations

from accounts.errors import Forbidden, InvalidInput
from accounts.logs import get_logger
from secret_store.crypto import binding, unseal, unwrap
from secret_store.errors import KeyUnavailable, SecretNotFound
from secret_store.models import Category, Secret
from secret_store.names import check_name, check_origin
from secret_store.services import visible_secrets
from secret_store.use_log import note

log = get_logger(__name__)


def tool_secrets(organization_id: int, agent_id: int | None, *, run_id: int | None = None) -> dict[str, str]:
    """Return the tool secrets that an agent's subprocesses are handed, by name; the agent's own before the shared.

    One that cannot be decrypted is left out, and the shared one of its name with it; locked, there are none. The caller
    hands them over by file descriptor, never as an argument.
    """
    values: dict[str, str] = {}
    decided: set[str] = set()
    rows = visible_secrets(organization_id, agent_id)
    for secret in rows.filter(category=Category.TOOL).select_related("data_key"):
        if secret.name in decided or not _may_be_variable(secret.name):
            continue
        decided.add(secret.name)
        try:
            values[secret.name] = _open(secret)
        except KeyUnavailable as error:
            log.warning("secret.withheld", name=secret.name, agent=agent_id, reason=str(error))
            continue
        note(secret, "handed to a tool", run_id=run_id, agent_id=agent_id)
    return values


def use_secret(
    organization_id: int,
    name: str,
    *,
    origin: str,
    agent_id: int | None,
    run_id: int | None = None,
    purpose: str = "typed into a page",
) -> str:
    """Return a tool secret to be typed at `origin` (scheme, host and port), if it is bound to that origin.

    Raises SecretNotFound, KeyUnavailable, and Forbidden for a system secret or any other origin.
    """
    secret = visible_secrets(organization_id, agent_id).filter(name=name).select_related("data_key").first()
    if secret is None:
        raise SecretNotFound(name)
    if secret.category != Category.TOOL:
        raise Forbidden(f"{name} is a system secret: it is typed nowhere.")
    if check_origin(origin) not in secret.origins:
        allowed = ", ".join(secret.origins) or "none"
        raise Forbidden(f"{name} may not be typed at {origin}. Allowed: {allowed}.")
    value = _open(secret)
    note(secret, purpose, run_id=run_id, agent_id=agent_id, origin=check_origin(origin))
    return value


def _may_be_variable(name: str) -> bool:
    """A name that was stored before it became reserved is not handed over either."""
    try:
        check_name(name)
    except InvalidInput:
        return False
    return True


def _open(secret: Secret) -> str:
    bound_to = binding(secret.organization_id, secret.agent_id, secret.name)
    return unseal(unwrap(secret.data_key), bytes(secret.nonce), bytes(secret.ciphertext), bound_to)
