"""Setting up providers: by hand, from the environment, and trying them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from llm import queries
from llm.clients import pool
from llm.fakes import FakeProvider, FakeReply, FakeRequest
from llm.fakes.replies import Fault
from llm.fakes.rows import STYLES, use_fake
from llm.models import LedgerEntry, Process, Provider, Route
from llm.services import setup
from llm.types import ToolResult
from secret_store.models import Secret
from secret_store.services import has_secret, read_secret
from tests.llm.conftest import KEY


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    pool.close_all()


def add(team: Any, **changes: Any) -> Provider:
    fields: dict[str, Any] = {"name": "My AI", "kind": "openai_chat", "api_key": KEY, "models": ["m1", "m2"]}
    return setup.add_provider(team.admin, **{**fields, **changes})


def routes(team: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for route in queries.list_routes(team.member):
        found.setdefault(route.process, []).append(route.entry.name)
    return found


def test_a_new_provider_answers_for_every_process_and_its_key_is_a_secret(team: Any) -> None:
    provider = add(team)
    assert routes(team) == {process: ["m1"] for process in Process.values}
    assert read_secret(team.organization.pk, provider.secret_name) == KEY
    assert KEY not in str(vars(provider))
    assert AuditEvent.objects.filter(organization=team.organization, action="provider.added").count() == 1


def test_a_second_provider_changes_no_route_and_shares_no_key(team: Any) -> None:
    first, second = add(team), add(team, name="My-AI", api_key="sk-second-1234567890", models=["m3"])
    assert routes(team)["channel"] == ["m1"]
    assert first.secret_name != second.secret_name
    assert read_secret(team.organization.pk, first.secret_name) == KEY


def test_the_same_provider_twice_is_refused(team: Any) -> None:
    add(team)
    with pytest.raises(Conflict):
        add(team, name="my ai")
    assert Provider.objects.filter(organization=team.organization).count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"kind": "scripted"}, "kind"),
        ({"base_url": "ftp://host"}, "base_url"),
        ({"base_url": "https://user:pass@host/v1"}, "base_url"),
        ({"base_url": "https://host:notaport/v1"}, "base_url"),
        ({"base_url": "nonsense"}, "base_url"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"models": [""]}, "name"),
    ],
)
def test_bad_values_are_named_and_nothing_is_kept(team: Any, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        add(team, **changes)
    assert caught.value.field == field
    assert not Provider.objects.filter(organization=team.organization).exists()
    assert not Secret.objects.filter(organization=team.organization).exists()


def test_members_and_moderators_may_not_write(team: Any) -> None:
    provider = add(team)
    for actor in (team.member, team.moderator):
        with pytest.raises(Forbidden):
            setup.add_provider(actor, name="X", kind="anthropic")
        with pytest.raises(Forbidden):
            setup.update_provider(actor, provider.pk, enabled=False)
        with pytest.raises(Forbidden):
            setup.remove_provider(actor, provider.pk)
        with pytest.raises(Forbidden):
            setup.set_route(actor, "channel", [])
        with pytest.raises(Forbidden):
            setup.test_provider(actor, provider.entries.all()[0].pk)
        with pytest.raises(Forbidden):
            queries.list_ledger(actor)


def test_other_organizations_rows_do_not_exist(team: Any, rivals: Any) -> None:
    provider = add(team)
    entry = provider.entries.all()[0]
    for attempt in (
        lambda: queries.get_provider(rivals.owner, provider.pk),
        lambda: queries.get_model(rivals.owner, entry.pk),
        lambda: setup.update_provider(rivals.owner, provider.pk, enabled=False),
        lambda: setup.remove_provider(rivals.owner, provider.pk),
        lambda: setup.set_route(rivals.owner, "channel", [entry.pk]),
        lambda: setup.add_model(rivals.owner, provider.pk, name="x"),
        lambda: setup.update_model(rivals.owner, entry.pk, enabled=False),
        lambda: setup.remove_model(rivals.owner, entry.pk),
        lambda: setup.test_provider(rivals.owner, entry.pk),
        lambda: setup.list_offered_models(rivals.owner, provider.pk),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert list(queries.list_providers(rivals.owner)) == []
    assert list(queries.list_models(rivals.owner)) == []


def test_a_stored_key_is_not_sent_to_a_new_address(team: Any) -> None:
    provider = add(team, base_url="https://one.example/v1")
    with pytest.raises(InvalidInput) as caught:
        setup.update_provider(team.owner, provider.pk, base_url="https://two.example/v1")
    assert caught.value.field == "api_key"
    setup.update_provider(team.owner, provider.pk, base_url="https://one.example/v2")
    setup.update_provider(
        team.owner, provider.pk, base_url="https://two.example/v1", api_key="sk-new-1234567890"
    )
    assert read_secret(team.organization.pk, provider.secret_name) == "sk-new-1234567890"


def test_removing_a_provider_takes_its_key_and_its_routes(team: Any) -> None:
    provider = add(team)
    setup.remove_provider(team.owner, provider.pk)
    assert not has_secret(team.organization.pk, provider.secret_name)
    assert routes(team) == {}
    with pytest.raises(NotFound):
        setup.remove_provider(team.owner, provider.pk)


def test_a_route_keeps_its_order_and_can_be_set_twice(team: Any) -> None:
    first, second = add(team).entries.order_by("pk")
    for _ in range(2):
        setup.set_route(team.admin, "worker", [second.pk, first.pk, second.pk])
        assert routes(team)["worker"] == ["m2", "m1"]
    with pytest.raises(InvalidInput):
        setup.set_route(team.admin, "no such process", [])


def test_the_environment_is_imported_once(team: Any) -> None:
    environment = {
        "ANTHROPIC_API_KEY": "sk-ant-1234567890",
        "OPENAI_API_KEY": KEY,
        "SPACEBOT_MODEL": "my-model",
    }
    first, second = setup.import_environment(team.organization, environment)
    assert (first.kind, first.secret_name, first.base_url) == ("anthropic", "ANTHROPIC_API_KEY", "")
    assert second.kind == "openai_chat"
    assert routes(team)["worker"] == ["my-model", setup.DEFAULT_MODELS["OpenAI"]]
    assert setup.import_environment(team.organization, environment) == []
    assert Route.objects.filter(organization=team.organization).count() == 2 * len(Process.values)


def test_an_empty_environment_imports_nothing(team: Any) -> None:
    assert setup.import_environment(team.organization, {"OPENAI_API_KEY": " "}) == []


def test_an_address_without_a_key_is_asked_what_it_offers(team: Any, fake: FakeProvider) -> None:
    environment = {
        "OPENAI_BASE_URL": fake.base_url("openai"),
        "ANTHROPIC_BASE_URL": fake.base_url("anthropic") + "/v1",
    }
    setup.import_environment(team.organization, environment)
    assert routes(team)["channel"] == ["fake-1", "fake-1"]


def test_an_address_where_nobody_answers_does_not_stop_the_start(team: Any, fake: FakeProvider) -> None:
    address = fake.base_url("openai").removesuffix("/v1")
    fake.stop()
    [provider] = setup.import_environment(team.organization, {"OLLAMA_BASE_URL": address})
    assert provider.base_url == address + "/v1"
    assert routes(team)["channel"] == [setup.DEFAULT_MODELS["Ollama"]]


def good_brain(request: FakeRequest) -> FakeReply:
    if any(isinstance(message, ToolResult) for message in request.messages):
        return FakeReply(text="lighthouse")
    return FakeReply(text="Let me look.", tool_calls=(("look_up_word", {"day": "Monday"}),))


@pytest.mark.parametrize("kind", sorted(STYLES))
def test_trying_a_model_shows_each_step(team: Any, fake: FakeProvider, kind: str) -> None:
    entry = use_fake(team.organization, fake, kind=kind)
    fake.brain = good_brain
    found = setup.test_provider(team.admin, entry.pk)
    assert found.ok
    assert {step.name for step in found.steps} == {"streamed", "connected", "tool call", "text", "usage"}
    assert LedgerEntry.objects.filter(requester_user=team.admin.user, outcome="succeeded").count() == 2
    assert setup.list_offered_models(team.admin, entry.provider_id) == ["fake-1", "fake-2"]


def test_a_model_that_calls_no_tool_fails_the_try(team: Any, fake: FakeProvider) -> None:
    entry = use_fake(team.organization, fake)
    found = setup.test_provider(team.admin, entry.pk)
    assert not found.ok
    assert "without the tool" in found.in_words()


def test_a_refused_key_is_told_in_plain_words_without_the_key(team: Any, fake: FakeProvider) -> None:
    entry = use_fake(team.organization, fake)
    fake.brain = lambda request: FakeReply(fault=Fault.BAD_KEY)
    found = setup.test_provider(team.admin, entry.pk)
    assert (found.ok, found.error) == (False, "The model provider refused the key.")
    assert "Incorrect API key" in found.vendor_text
    assert KEY not in found.in_words()


def test_usage_is_summed_by_model(team: Any, rivals: Any, fake: FakeProvider) -> None:
    from django.utils import timezone

    entry = use_fake(team.organization, fake, input_price=1, output_price=1, cache_read_price=1)
    fake.brain = good_brain
    setup.test_provider(team.admin, entry.pk)
    since = timezone.now().replace(year=2020)
    [row] = queries.usage_by_model(team.admin, since=since)
    assert (row["requests"], row["failed"], row["unpriced"], row["input_tokens"]) == (2, 0, 0, 200)
    assert queries.usage_by_model(rivals.admin, since=since) == []
    assert len(queries.list_ledger(team.admin)) == 2
