"""Which provider searches for an agent: Brave where a key is stored, else the SearXNG of this installation."""

from __future__ import annotations

from django.conf import settings

from agents.egress.checking import checker_for
from agents.egress.names import read_url
from agents.egress.policy import Policy
from agents.egress.search.base import SearchProvider
from agents.egress.search.brave import Brave
from agents.egress.search.searxng import SearXNG
from secret_store.errors import SecretNotFound
from secret_store.services import read_secret

KEY = "BRAVE_SEARCH_API_KEY"


def provider_for(organization_id: int, agent_id: int) -> SearchProvider | None:
    """Return None where nothing is configured. Raises KeyUnavailable for a key that cannot be read."""
    try:
        key = read_secret(organization_id, KEY, agent_id=agent_id)
    except SecretNotFound:
        key = ""
    if key:
        url = settings.SPACEBOT_BRAVE_URL
        return Brave(key, url, checker_for(_only(url)))
    if url := settings.SPACEBOT_SEARXNG_URL:
        return SearXNG(url, checker_for(_only(url)))
    return None


def _only(url: str) -> Policy:
    """Return the policy that reaches this one server, wherever the operator has put it, and nothing else."""
    target = read_url(url)
    place = frozenset({(target.host, target.port)})
    return Policy(allowed=place, private=place)
