from __future__ import annotations

import re

from accounts.models import ApiToken, Membership
from agents.models import Agent
from llm.models import ModelEntry, Provider, Route
from secret_store.models import Secret
from tests.factories import Team
from tests.web.conftest import SignIn


def test_a_new_token_is_shown_once(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.member)
    form = {"name": "script", "days": "30", "scopes": ["runs:read"]}
    page = client.post("/settings/tokens/", form).content.decode()
    shown = re.search(r'id="new-token">([^<]+)<', page)
    assert shown
    assert shown[1] not in client.get("/settings/tokens/").content.decode()


def test_a_token_cannot_reach_above_its_owner(team: Team, sign_in: SignIn) -> None:
    form = {"name": "script", "days": "30", "scopes": ["secrets:write"]}
    sign_in(team.member).post("/settings/tokens/", form)
    assert not ApiToken.objects.exists()


def test_a_revoked_token_says_so_and_others_cannot_revoke_it(
    team: Team, rivals: Team, sign_in: SignIn
) -> None:
    client = sign_in(team.member)
    client.post("/settings/tokens/", {"name": "script", "days": "0", "scopes": ["runs:read"]})
    form = {"act": "revoke", "token": ApiToken.objects.get().pk}
    sign_in(rivals.owner).post("/settings/tokens/", form)
    assert ApiToken.objects.get().revoked_at is None
    client.post("/settings/tokens/", form)
    assert "Revoked" in client.get("/settings/tokens/").content.decode()


def test_a_secret_goes_in_and_never_comes_out(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    form = {"name": "OPENAI_API_KEY", "value": "sk-very-secret-indeed-1234", "category": "system"}
    page = client.post("/settings/secrets/", form, follow=True).content.decode()
    assert "OPENAI_API_KEY" in page
    assert "very-secret" not in page
    client.post("/settings/secrets/", {"act": "delete", "name": "OPENAI_API_KEY"})
    assert not Secret.objects.exists()


def test_a_member_is_added_changed_and_removed(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.owner)
    client.post("/settings/members/", {"act": "add", "email": "new@acme.test", "role": "member"})
    member = Membership.objects.get(user__email="new@acme.test")
    client.post("/settings/members/", {"act": "role", "user": member.user_id, "role": "admin"})
    assert Membership.objects.get(pk=member.pk).role == "admin"
    client.post("/settings/members/", {"act": "remove", "user": member.user_id})
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_a_member_cannot_change_members(team: Team, sign_in: SignIn) -> None:
    form = {"act": "role", "user": team.member.user.pk, "role": "owner"}
    page = sign_in(team.member).post("/settings/members/", form, follow=True).content.decode()
    assert "notice-bad" in page
    assert Membership.objects.get(user=team.member.user).role == "member"


def test_an_agent_is_made_from_a_preset_and_edited(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    client.post("/agents/new/", {"name": "Rhea", "preset": "engineering"})
    form = {"name": "Rhea", "tagline": "", "soul": "Patient.", "identity": "", "role": "", "enabled": "on"}
    client.post("/agents/rhea/", form)
    assert Agent.objects.get(slug="rhea").soul == "Patient."
    assert (
        "There is already"
        in client.post("/agents/new/", {"name": "Rhea", "preset": "general"}).content.decode()
    )


def test_a_member_cannot_edit_an_agent(team: Team, sign_in: SignIn) -> None:
    sign_in(team.member).post("/agents/spacebot/", {"name": "Hijacked"})
    assert Agent.objects.get(pk=team.agent.pk).name == "Spacebot"


def test_a_provider_brings_models_and_routes(team: Team, rivals: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    form = {
        "act": "add_provider",
        "name": "House",
        "kind": "openai_chat",
        "base_url": "http://127.0.0.1:9/v1",
    }
    client.post("/settings/models/", {**form, "api_key": "sk-1234567890-abcdefghi", "models": "small, large"})
    small, large = ModelEntry.objects.order_by("name")[1], ModelEntry.objects.order_by("name")[0]
    page = client.get("/settings/models/").content.decode()
    assert "small" in page
    assert "sk-1234567890" not in page
    client.post("/settings/models/", {"act": "route", "process": "worker", "entry": [large.pk, small.pk, ""]})
    assert list(Route.objects.filter(process="worker").values_list("entry__name", flat=True)) == [
        "large",
        "small",
    ]
    removal = {"act": "remove_provider", "provider": Provider.objects.get().pk}
    sign_in(rivals.admin).post("/settings/models/", removal)
    assert Provider.objects.count() == 1
    client.post("/settings/models/", removal)
    assert not Provider.objects.exists()


def test_a_price_that_is_no_number_is_refused(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    client.post("/settings/models/", {"act": "add_provider", "name": "House", "kind": "openai_chat"})
    form = {
        "act": "add_model",
        "provider": Provider.objects.get().pk,
        "name": "small",
        "input_price": "cheap",
    }
    assert "A price is a number" in client.post("/settings/models/", form, follow=True).content.decode()
    assert not ModelEntry.objects.exists()


def test_a_model_that_cannot_be_reached_fails_its_test_in_words(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    form = {
        "act": "add_provider",
        "name": "House",
        "kind": "openai_chat",
        "base_url": "http://127.0.0.1:9/v1",
    }
    client.post("/settings/models/", {**form, "api_key": "sk-1234567890-abcdefghi", "models": "small"})
    page = client.post(f"/settings/models/{ModelEntry.objects.get().pk}/test/").content.decode()
    assert "does not work yet" in page
    assert "sk-1234567890" not in page
