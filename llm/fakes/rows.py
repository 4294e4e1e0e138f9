"""Provider rows that lead to a fake: for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.models import Organization
from llm.clients import scripted
from llm.fakes.provider import FakeProvider
from llm.models import ModelEntry, Process, Provider, ProviderKind, Route
from llm.services.providers import create_provider
from llm.services.routing import forget_routing

STYLES = {
    ProviderKind.OPENAI_CHAT: "openai",
    ProviderKind.OPENAI_RESPONSES: "responses",
    ProviderKind.ANTHROPIC: "anthropic",
}


def use_fake(
    organization: Organization,
    fake: FakeProvider,
    *,
    kind: str = ProviderKind.OPENAI_CHAT,
    name: str = "Fake",
    model: str = "fake-1",
    api_key: str = "sk-test-1234567890abcdef",
    timeout_s: int = 30,
    **fields: Any,
) -> ModelEntry:
    """Let a provider of the organization be `fake`, as the last choice of every process; return its model."""
    provider = create_provider(
        None,
        organization,
        name=name,
        kind=kind,
        api_key=api_key,
        base_url=fake.base_url(STYLES[ProviderKind(kind)]),
        timeout_s=timeout_s,
        models=[model],
    )
    entry = provider.entries.get()
    ModelEntry.objects.filter(pk=entry.pk).update(**fields)
    for process in Process.values:
        routes = Route.objects.filter(organization=organization, process=process)
        if not routes.filter(entry=entry).exists():
            Route.objects.create(
                organization=organization, process=process, position=routes.count(), entry=entry
            )
    forget_routing(organization.pk)
    entry.refresh_from_db()
    return entry


def use_script(
    organization: Organization, script: scripted.Script, *, processes: Sequence[str] = Process.values
) -> scripted.ScriptedModel:
    """Let these processes of the organization follow `script` in this process of the machine."""
    provider, _ = Provider.objects.get_or_create(
        organization=organization, name="Script", defaults={"kind": ProviderKind.SCRIPTED}
    )
    name = f"script-{organization.pk}-{'-'.join(processes)}"
    entry, _ = ModelEntry.objects.get_or_create(organization=organization, provider=provider, name=name)
    for process in processes:
        Route.objects.filter(organization=organization, process=process).delete()
        Route.objects.create(organization=organization, process=process, entry=entry)
    forget_routing(organization.pk)
    return scripted.install(name, script)
