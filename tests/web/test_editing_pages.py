"""Changing what exists: providers, models, agents."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from agents.models import Agent
from agents.presets import PRESETS
from llm.clients import pool
from llm.fakes import FakeProvider, FakeReply
from llm.models import ModelEntry, Provider
from llm.services.setup import add_provider
from secret_store.services import read_secret
from tests.factories import Team
from tests.web.conftest import SignIn

KEY = "sk-1234567890-abcdefghi"


@pytest.fixture
def provider(team: Team) -> Provider:
    return add_provider(
        team.admin,
        name="House",
        kind="openai_chat",
        api_key=KEY,
        base_url="http://127.0.0.1:9/v1",
        models=["small"],
    )


@pytest.fixture
def offering() -> Iterator[FakeProvider]:
    with FakeProvider(lambda request: FakeReply(text="Hello.")) as found:
        yield found
    pool.close_all()


def form_for(provider: Provider, **changes: str) -> dict[str, str]:
    form = {"name": provider.name, "base_url": provider.base_url, "timeout_s": "60", "enabled": "on"}
    return {**form, **changes}


def test_a_provider_is_edited_and_keeps_its_key(team: Team, provider: Provider, sign_in: SignIn) -> None:
    client, address = sign_in(team.admin), f"/settings/models/providers/{provider.pk}/"
    page = client.get(address).content.decode()
    assert "House" in page
    assert KEY not in page
    for _ in range(2):
        changed = client.post(address, form_for(provider, name="Home"))
        assert changed["Location"] == "/settings/models/"
    provider.refresh_from_db()
    assert (provider.name, provider.timeout_s, provider.enabled) == ("Home", 60, True)
    assert read_secret(team.organization.pk, provider.secret_name) == KEY


def test_a_providers_key_is_replaced_and_its_models_switched_off(
    team: Team, provider: Provider, sign_in: SignIn
) -> None:
    form = form_for(provider, api_key="sk-0987654321-ihgfedcba")
    del form["enabled"]
    sign_in(team.admin).post(f"/settings/models/providers/{provider.pk}/", form)
    provider.refresh_from_db()
    assert not provider.enabled
    assert read_secret(team.organization.pk, provider.secret_name) == "sk-0987654321-ihgfedcba"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_url": "https://elsewhere.example/v1"}, "needs the key again"),
        ({"timeout_s": "soon"}, "between 5 and 3600"),
        ({"name": ""}, "needs a name"),
    ],
)
def test_a_refused_change_of_a_provider_says_why_and_keeps_what_was_typed(
    changes: dict[str, str], words: str, team: Team, provider: Provider, sign_in: SignIn
) -> None:
    form = form_for(provider, **{"name": "Typed", **changes})
    page = sign_in(team.admin).post(f"/settings/models/providers/{provider.pk}/", form).content.decode()
    assert words in page
    assert 'aria-invalid="true"' in page
    assert form["name"] in page
    provider.refresh_from_db()
    assert (provider.name, provider.timeout_s) == ("House", 300)


def test_a_model_is_edited(team: Team, provider: Provider, sign_in: SignIn) -> None:
    entry = provider.entries.get()
    form = {
        "label": "Small one",
        "context_window": "32000",
        "max_output_tokens": "900",
        "input_price": "0.25",
    }
    client = sign_in(team.admin)
    for _ in range(2):
        client.post(f"/settings/models/{entry.pk}/", {**form, "enabled": "on"})
    entry.refresh_from_db()
    assert (entry.label, entry.context_window, entry.max_output_tokens) == ("Small one", 32000, 900)
    assert (entry.input_price, entry.output_price, entry.enabled) == (Decimal("0.25"), None, True)
    assert 'value="0.25"' in client.get(f"/settings/models/{entry.pk}/").content.decode()
    client.post(f"/settings/models/{entry.pk}/", {**form, "input_price": ""})
    entry.refresh_from_db()
    assert (entry.input_price, entry.enabled) == (None, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("context_window", "0"),
        ("max_output_tokens", "many"),
        ("input_price", "NaN"),
        ("output_price", "-1"),
        ("label", "x" * 81),
    ],
)
def test_a_refused_change_of_a_model_says_why(
    field: str, value: str, team: Team, provider: Provider, sign_in: SignIn
) -> None:
    entry = provider.entries.get()
    form = {"label": "", "context_window": "32000", "max_output_tokens": "900", field: value}
    page = sign_in(team.admin).post(f"/settings/models/{entry.pk}/", form).content.decode()
    assert 'role="alert"' in page
    entry.refresh_from_db()
    assert entry.context_window == 128_000


def test_nobody_else_edits_providers_and_models(
    team: Team, rivals: Team, provider: Provider, sign_in: SignIn
) -> None:
    entry = provider.entries.get()
    addresses = [
        f"/settings/models/providers/{provider.pk}/",
        f"/settings/models/providers/{provider.pk}/offered/",
        f"/settings/models/{entry.pk}/",
    ]
    for address in addresses:
        assert sign_in(team.member).post(address, form_for(provider, name="Stolen")).status_code == 403
        assert sign_in(rivals.owner).post(address, form_for(provider, name="Stolen")).status_code == 404
    provider.refresh_from_db()
    assert provider.name == "House"


def test_what_a_provider_offers_is_listed_and_taken_over(
    team: Team, offering: FakeProvider, sign_in: SignIn
) -> None:
    base_url = offering.base_url("openai")
    provider = add_provider(
        team.admin, name="Fake", kind="openai_chat", api_key=KEY, base_url=base_url, models=["fake-1"]
    )
    client = sign_in(team.admin)
    page = client.post(f"/settings/models/providers/{provider.pk}/offered/").content.decode()
    assert 'value="fake-1" checked disabled' in page
    form = {"act": "add_models", "provider": provider.pk, "names": ["fake-2", "fake-3"]}
    client.post("/settings/models/", form)
    assert set(provider.entries.values_list("name", flat=True)) == {"fake-1", "fake-2", "fake-3"}
    assert "already" in client.post("/settings/models/", form, follow=True).content.decode()
    assert ModelEntry.objects.count() == 3


def test_a_provider_that_does_not_answer_says_so(team: Team, provider: Provider, sign_in: SignIn) -> None:
    page = sign_in(team.admin).post(f"/settings/models/providers/{provider.pk}/offered/").content.decode()
    assert "notice-bad" in page
    assert KEY not in page


def test_an_agent_is_switched_off_and_on(team: Team, rivals: Team, sign_in: SignIn) -> None:
    for actor in (team.member, rivals.owner):
        sign_in(actor).post("/agents/spacebot/", {"act": "switch", "enabled": "0"})
    assert Agent.objects.get(pk=team.agent.pk).enabled
    client = sign_in(team.admin)
    for _ in range(2):
        page = client.post(
            "/agents/spacebot/", {"act": "switch", "enabled": "0"}, follow=True
        ).content.decode()
    assert "nobody can write to it" in page
    client.post("/agents/spacebot/", {"act": "switch", "enabled": "1"})
    assert Agent.objects.get(pk=team.agent.pk).enabled


def test_an_agents_limits_are_set_cleared_and_checked(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    client.post("/agents/spacebot/", {"act": "limits", "branch_limit_s": "40", "worker_limit_s": ""})
    assert Agent.objects.get(pk=team.agent.pk).settings == {"branch_limit_s": 40}
    page = client.post("/agents/spacebot/", {"act": "limits", "branch_limit_s": "5"}).content.decode()
    assert "from 10 to 3600" in page
    assert Agent.objects.get(pk=team.agent.pk).settings == {"branch_limit_s": 40}
    client.post("/agents/spacebot/", {"act": "limits", "branch_limit_s": "", "worker_limit_s": ""})
    assert Agent.objects.get(pk=team.agent.pk).settings == {}


def test_an_agents_day_and_its_budget_are_set_with_its_limits(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    form = {"act": "limits", "background_budget_calls": "7", "time_zone": "Europe/Berlin"}
    client.post("/agents/spacebot/", form)
    chosen = {"background_budget_calls": 7, "time_zone": "Europe/Berlin"}
    assert Agent.objects.get(pk=team.agent.pk).settings == chosen
    page = client.get("/agents/spacebot/").content.decode()
    assert 'value="Europe/Berlin"' in page
    assert 'value="7"' in page
    client.post("/agents/spacebot/", {**form, "time_zone": "Mars/Olympus"})
    assert Agent.objects.get(pk=team.agent.pk).settings == chosen


def test_a_preset_is_applied_again(team: Team, sign_in: SignIn) -> None:
    form = {"act": "preset", "preset": "support"}
    sign_in(team.member).post("/agents/spacebot/", form)
    assert Agent.objects.get(pk=team.agent.pk).role == ""
    page = sign_in(team.admin).post("/agents/spacebot/", form, follow=True).content.decode()
    assert "from “Support”" in page
    assert Agent.objects.get(pk=team.agent.pk).role == PRESETS["support"].role
