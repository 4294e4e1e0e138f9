"""Setting up models: from the environment at first start, and by an admin afterwards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from accounts.models import Organization
from llm.clients.endpoint import Endpoint
from llm.errors import LLMError
from llm.models import ModelEntry, Process, Provider, ProviderKind, Route
from llm.services.provider_test import ProviderTest, TestStep, test_provider
from llm.services.providers import (
    add_model,
    add_provider,
    create_provider,
    remove_model,
    remove_provider,
    set_route,
    update_model,
    update_provider,
)
from llm.services.routing import forget_routing
from llm.services.vendor_models import ask_for_models, list_offered_models

__all__ = [
    "ProviderTest",
    "TestStep",
    "add_model",
    "add_provider",
    "import_environment",
    "list_offered_models",
    "remove_model",
    "remove_provider",
    "set_route",
    "test_provider",
    "update_model",
    "update_provider",
]

DEFAULT_MODELS = {"Anthropic": "claude-sonnet-5-5", "OpenAI": "gpt-6.1-terra", "Ollama": "qwen3"}
ASK_TIMEOUT_S = 3.0
DUMMY_KEY = "none"
"""What servers that want no key are sent: some refuse a request without any."""


@dataclass(frozen=True)
class _Found:
    name: str
    kind: ProviderKind
    api_key: str
    base_url: str


def import_environment(
    organization: Organization, environment: Mapping[str, str] | None = None
) -> list[Provider]:
    """Create providers for what `environment` (by default the process's own) names.

    The first becomes the model of every process, the others its fallbacks.

    Does nothing for an organization that has a provider. Keys become secrets. SPACEBOT_MODEL names the model of the
    first; without it, a server at an address of one's own is asked once what it offers.
    """
    if Provider.objects.filter(organization=organization).exists():
        return []
    created: list[Provider] = []
    environment = os.environ if environment is None else environment
    wanted = environment.get("SPACEBOT_MODEL", "").strip()
    for found in _find(environment):
        model = (wanted if not created else "") or _choose_model(found)
        created.append(
            create_provider(
                None,
                organization,
                name=found.name,
                kind=found.kind,
                api_key=found.api_key,
                base_url=found.base_url,
                models=[model],
            )
        )
    _route_fallbacks(organization, created[1:])
    return created


def _find(environment: Mapping[str, str]) -> list[_Found]:
    def read(name: str) -> str:
        return environment.get(name, "").strip()

    found: list[_Found] = []
    if read("ANTHROPIC_API_KEY") or read("ANTHROPIC_BASE_URL"):
        # The vendor's SDK adds /v1 itself; people often give it all the same.
        base_url = read("ANTHROPIC_BASE_URL").rstrip("/").removesuffix("/v1")
        key = read("ANTHROPIC_API_KEY") or DUMMY_KEY
        found.append(_Found("Anthropic", ProviderKind.ANTHROPIC, key, base_url))
    if read("OPENAI_API_KEY") or read("OPENAI_BASE_URL"):
        key = read("OPENAI_API_KEY") or DUMMY_KEY
        found.append(_Found("OpenAI", ProviderKind.OPENAI_CHAT, key, read("OPENAI_BASE_URL")))
    if base_url := read("OLLAMA_BASE_URL").rstrip("/"):
        if not urlsplit(base_url).path:
            base_url += "/v1"
        found.append(_Found("Ollama", ProviderKind.OPENAI_CHAT, DUMMY_KEY, base_url))
    return found


def _choose_model(found: _Found) -> str:
    if found.base_url:
        endpoint = Endpoint(kind=found.kind, api_key=found.api_key, base_url=found.base_url)
        try:
            offered = ask_for_models(endpoint, timeout_s=ASK_TIMEOUT_S)
        except LLMError:
            offered = []
        if offered and DEFAULT_MODELS[found.name] not in offered:
            return offered[0]
    return DEFAULT_MODELS[found.name]


def _route_fallbacks(organization: Organization, providers: list[Provider]) -> None:
    entries = ModelEntry.objects.filter(organization=organization, provider__in=providers).order_by("id")
    Route.objects.bulk_create(
        Route(organization=organization, process=process, position=position, entry=entry)
        for position, entry in enumerate(entries, start=1)
        for process in Process.values
    )
    forget_routing(organization.pk)
