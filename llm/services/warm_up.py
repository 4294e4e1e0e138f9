"""Doing before the first turn what the first turn would otherwise wait for."""

from __future__ import annotations

import logging

from accounts.database import release_connection
from llm.clients.pool import anthropic_client, openai_client
from llm.models import Provider, ProviderKind
from llm.services.routing import get_routing

log = logging.getLogger(__name__)

MOST_ORGANIZATIONS = 20


def warm_up() -> None:
    """Import the SDKs that enabled providers need and make their clients. Sends nothing; failure is only logged."""
    try:
        organizations = Provider.objects.filter(enabled=True).order_by("organization_id")
        for organization_id in organizations.values_list("organization_id", flat=True).distinct()[
            :MOST_ORGANIZATIONS
        ]:
            for candidate in get_routing(organization_id).entries.values():
                if candidate.endpoint.kind == ProviderKind.ANTHROPIC:
                    _ = anthropic_client(candidate.endpoint).messages
                elif candidate.endpoint.kind == ProviderKind.OPENAI_CHAT:
                    _ = openai_client(candidate.endpoint).chat.completions
                elif candidate.endpoint.kind == ProviderKind.OPENAI_RESPONSES:
                    _ = openai_client(candidate.endpoint).responses
    except Exception:
        log.exception("warming up failed; the first turn will take longer")
    finally:
        release_connection()
