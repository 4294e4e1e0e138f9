"""Where the tokens of a server that is signed in to by OAuth are kept: encrypted, beside other secrets."""

from __future__ import annotations

import contextlib

from accounts.models import Organization
from agents.mcp.references import KEPT
from agents.models import McpServer
from secret_store.errors import SecretNotFound
from secret_store.services import delete_secret, read_secret, set_secret


def secret_name(server_id: int) -> str:
    return f"{KEPT}{server_id}"


def read_tokens(organization_id: int, server_id: int) -> str:
    """Return what was stored, or nothing."""
    try:
        return read_secret(organization_id, secret_name(server_id))
    except SecretNotFound:
        return ""


def store_tokens(organization_id: int, server_id: int, value: str) -> None:
    organization = Organization.objects.get(pk=organization_id)
    set_secret(None, organization, name=secret_name(server_id), value=value)


def forget_tokens(server: McpServer) -> None:
    with contextlib.suppress(SecretNotFound):
        delete_secret(None, server.organization, name=secret_name(server.pk))
