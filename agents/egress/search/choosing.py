"""Which provider searches for an agent: Brave where a key is stored, else the SearXNG of this installation."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from agents.egress.checking import checker_for
from agents.egress.names import read_url
from agents.egress.policy import Policy
from agents.egress.search.base import SearchProvider
from agents.egress.search.brave import Brave
from agents.egress.search.searxng import SearXNG
from agents.models import Run
from secret_store.errors import SecretNotFound
from secret_store.models import Secret
from secret_store.services import read_secret

KEY = "BRAVE_SEARCH_API_KEY"
HAS_KEY = Exists(
    Secret.objects.filter(
        Q(agent_id=None) | Q(agent_id=OuterRef("agent_id")),
        organization_id=OuterRef("organization_id"),
        name=KEY,
    )
)
"""Whether a key is stored for the agent of a run; part of the statement that loads the run, as `has_search_key`."""


def has_provider(run: Run) -> bool:
    """Say whether searching is set up for a run, by what was loaded with it; a run that was loaded otherwise may try."""
    return bool(settings.SPACEBOT_SEARXNG_URL) or run.__dict__.get("has_search_key", True)


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
