"""What can be done in the admin, by whom, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, Membership, Organization, Person, Role, User
from agents.models import Agent, Run
from llm.models import ModelEntry, Provider, Route
from messaging.models import Binding, Conversation, Participant
from secret_store.models import Secret
from secret_store.services import read_secret, set_secret
from tests.admin.rows import make_rows
from tests.factories import Team

VALUE = "sk-very-secret-value-1234"


def _add(client: Client, page: str, **data: Any) -> Any:
    return client.post(reverse(f"admin:{page}_add"), data, follow=True)


def _change(client: Client, row: Model, **data: Any) -> Any:
    page = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return client.post(reverse(page, args=[row.pk]), data, follow=True)


def _act(client: Client, page: str, action: str, *rows: Model) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(reverse(f"admin:{page}_changelist"), data, follow=True)


def _said(response: HttpResponse) -> str:
    return " ".join(str(message) for message in response.context["messages"])  # type: ignore[attr-defined]


def test_a_secret_goes_in_and_is_never_shown(team: Team, owner: Client) -> None:
    _add(
        owner,
        "secrets_secret",
        organization=team.organization.pk,
        name="VENDOR_KEY",
        category="tool",
        value=VALUE,
    )
    secret = Secret.objects.get()
    assert read_secret(team.organization.pk, "VENDOR_KEY") == VALUE
    page = owner.get(reverse("admin:secrets_secret_change", args=[secret.pk])).content.decode()
    listing = owner.get(reverse("admin:secrets_secret_changelist")).content.decode()
    assert VALUE not in page + listing
    assert 'type="password"' in page
    _change(owner, secret, category="system", value="another-value")
    assert read_secret(team.organization.pk, "VENDOR_KEY") == "another-value"
    assert AuditEvent.objects.filter(action="secret.set").count() == 2


def test_a_refused_secret_is_not_rendered_back(team: Team, owner: Client) -> None:
    response = _add(
        owner,
        "secrets_secret",
        organization=team.organization.pk,
        name="LD_PRELOAD",
        category="tool",
        value=VALUE,
    )
    assert "reserved" in response.content.decode()
    assert VALUE not in response.content.decode()
    assert not Secret.objects.exists()


def test_secrets_stay_in_their_organization(team: Team, rivals: Team, owner: Client) -> None:
    theirs = set_secret(None, rivals.organization, name="KEY", value=VALUE)
    _add(
        owner,
        "secrets_secret",
        organization=rivals.organization.pk,
        name="MINE",
        category="tool",
        value=VALUE,
    )
    _change(owner, theirs, category="tool", value="stolen")
    owner.post(reverse("admin:secrets_secret_delete", args=[theirs.pk]), {"post": "yes"})
    _act(owner, "secrets_secret", "delete_selected", theirs)
    assert Secret.objects.get() == theirs
    assert read_secret(rivals.organization.pk, "KEY") == VALUE


def test_a_deleted_secret_is_gone_and_audited(team: Team, owner: Client) -> None:
    secret = set_secret(None, team.organization, name="KEY", value=VALUE)
    owner.post(reverse("admin:secrets_secret_delete", args=[secret.pk]), {"post": "yes"})
    assert not Secret.objects.exists()
    assert AuditEvent.objects.filter(action="secret.deleted", actor_id=team.owner.user.pk).exists()


def test_members_are_added_by_address_and_changed_by_the_services(team: Team, owner: Client) -> None:
    _add(
        owner, "accounts_membership", organization=team.organization.pk, email="new@acme.test", role="member"
    )
    membership = Membership.objects.get(user__email="new@acme.test")
    assert Person.objects.filter(user=membership.user).exists()
    _change(owner, membership, role="admin")
    membership.user.refresh_from_db()
    assert membership.user.is_staff
    response = _act(owner, "accounts_membership", "invite", membership)
    assert "/sign-in/link/" in _said(response)
    owner.post(reverse("admin:accounts_membership_delete", args=[membership.pk]), {"post": "yes"})
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert AuditEvent.objects.filter(action="member.removed").exists()


def test_the_rules_of_membership_hold_in_the_admin(team: Team, owner: Client, admin_of_acme: Client) -> None:
    mine = Membership.objects.get(user=team.owner.user)
    assert "at least one owner" in _said(_change(owner, mine, role="member"))
    assert "above their own" in _said(_change(admin_of_acme, mine, role="member"))
    member = Membership.objects.get(user=team.member.user)
    assert "above their own" in _said(_change(admin_of_acme, member, role="owner"))
    _act(admin_of_acme, "accounts_membership", "delete_selected", mine)
    delete = {"action": "delete_selected", "_selected_action": [mine.pk], "post": "yes"}
    response = admin_of_acme.post(reverse("admin:accounts_membership_changelist"), delete, follow=True)
    assert "above their own" in _said(response)
    mine.refresh_from_db()
    assert mine.role == Role.OWNER


def test_nobody_is_added_to_another_organization(team: Team, rivals: Team, owner: Client) -> None:
    data = {"organization": rivals.organization.pk, "email": "spy@acme.test", "role": "admin"}
    _add(owner, "accounts_membership", **data)
    assert not User.objects.filter(email="spy@acme.test").exists()


def test_an_administrator_cannot_change_users_at_all(team: Team, owner: Client) -> None:
    user = team.member.user
    page = reverse("admin:accounts_user_change", args=[user.pk])
    assert "is_superuser" not in owner.get(page).content.decode()
    assert owner.post(page, {"email": "x@acme.test", "is_superuser": "on"}).status_code == 403
    assert owner.get(f"{page.removesuffix('change/')}password/").status_code == 403
    user.refresh_from_db()
    assert not user.is_superuser


def test_a_superuser_makes_and_changes_users(superuser: Client, team: Team) -> None:
    secret = "long enough 4 anyone"
    _add(
        superuser, "accounts_user", email="New@Acme.test", name="Nia", usable_password="true",
        password1=secret, password2=secret,
    )  # fmt: skip
    user = User.objects.get(email="new@acme.test")
    assert user.check_password(secret)
    _change(superuser, user, email=user.email, name="Nia", time_zone="UTC", is_active="on", is_superuser="on")
    user.refresh_from_db()
    assert user.is_superuser
    assert user.is_staff


def test_a_token_is_revoked_by_an_administrator(team: Team, rivals: Team, owner: Client) -> None:
    mine, theirs = make_rows(team)[ApiToken], make_rows(rivals)[ApiToken]
    _act(owner, "accounts_apitoken", "revoke", mine, theirs)
    assert set(ApiToken.objects.filter(revoked_at=None)) == {theirs}


def test_an_agent_is_changed_and_audited_without_its_words(team: Team, owner: Client) -> None:
    _change(owner, team.agent, name="Spacebot", soul="Kind.", settings="{}", enabled="on")
    team.agent.refresh_from_db()
    assert team.agent.soul == "Kind."
    assert "Kind." not in str(AuditEvent.objects.get(action="agent.changed").detail)
    response = _change(owner, team.agent, name="Spacebot", settings='{"nonsense": 1}', enabled="on")
    assert "no setting" in _said(response)


def test_an_agent_is_made_from_a_preset(team: Team, owner: Client) -> None:
    data = {"organization": team.organization.pk, "name": "Ada", "slug": "ada", "preset": "general"}
    _add(owner, "agents_agent", **data)
    agent = Agent.objects.get(slug="ada")
    assert agent.organization == team.organization
    assert agent.soul
    assert "already" in _add(owner, "agents_agent", **data).content.decode()


def test_a_provider_is_changed_and_audited_by_field_name(team: Team, owner: Client) -> None:
    provider = Provider.objects.create(organization=team.organization, name="v", kind="openai_chat")
    _change(owner, provider, name="w", kind="openai_chat", timeout_s=300, enabled="on")
    event = AuditEvent.objects.get(action="provider.changed")
    assert event.detail == {"fields": ["name"], "id": provider.pk, "via": "admin"}


@pytest.mark.parametrize("by", ["owner", "superuser"])
def test_a_binding_never_joins_two_organizations(
    by: str, team: Team, rivals: Team, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(by)
    data = {
        "organization": team.organization.pk, "account": team.webchat.pk, "position": 0,
        "conversation_ids": "[]", "sender_ids": "[]",
    }  # fmt: skip
    _add(client, "messaging_binding", **data, agent=rivals.agent.pk)
    _add(client, "messaging_binding", **{**data, "account": rivals.webchat.pk}, agent=team.agent.pk)
    assert not Binding.objects.exists()
    _add(client, "messaging_binding", **data, agent=team.agent.pk)
    assert Binding.objects.get().agent_id == team.agent.pk


@pytest.mark.parametrize("by", ["owner", "superuser"])
def test_a_route_never_leads_to_a_model_of_another_organization(
    by: str, team: Team, rivals: Team, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(by)
    mine, theirs = make_rows(team)[ModelEntry], make_rows(rivals)[ModelEntry]
    data = {"organization": team.organization.pk, "process": "branch", "position": 0}
    _add(client, "llm_route", **data, entry=theirs.pk)
    assert not Route.objects.filter(process="branch").exists()
    _add(client, "llm_route", **data, entry=mine.pk)
    assert Route.objects.get(process="branch").entry == mine


def test_an_organization_does_not_move_under_a_row(team: Team, rivals: Team, superuser: Client) -> None:
    provider = Provider.objects.create(organization=team.organization, name="v", kind="openai_chat")
    data = {"organization": rivals.organization.pk, "name": "v2", "kind": "openai_chat", "timeout_s": 5}
    _change(superuser, provider, **data)
    provider.refresh_from_db()
    assert (provider.name, provider.organization) == ("v2", team.organization)


def test_an_organization_is_renamed_and_never_deleted(team: Team, owner: Client, superuser: Client) -> None:
    _change(owner, team.organization, name="Acme Ltd", time_zone="UTC")
    assert Organization.objects.get(pk=team.organization.pk).name == "Acme Ltd"
    page = reverse("admin:accounts_organization_delete", args=[team.organization.pk])
    assert superuser.post(page, {"post": "yes"}).status_code == 403


def _queued_run(team: Team, actor: Any) -> Run:
    conversation = Conversation.objects.create(
        organization=team.organization,
        account=team.webchat,
        agent_id=team.agent.pk,
        kind="dm",
        external_id="x",
    )
    person = Person.objects.get(organization=team.organization, user=actor.user)
    Participant.objects.create(organization=team.organization, conversation=conversation, person=person)
    return Run.objects.create(
        organization=team.organization, agent=team.agent, conversation=conversation, kind="worker",
        input={"task": "wait"}, due_at=timezone.now(),
    )  # fmt: skip


def test_a_run_is_cancelled_from_the_list(team: Team, owner: Client) -> None:
    run = _queued_run(team, team.owner)
    assert f"Run {run.pk} cancelled" in _said(_act(owner, "agents_run", "cancel", run))
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_an_act_that_is_refused_says_why(team: Team, owner: Client) -> None:
    run = _queued_run(team, team.owner)
    assert "not ended yet" in _said(_act(owner, "agents_run", "retry", run))


def test_runs_of_another_organization_are_out_of_reach(team: Team, rivals: Team, owner: Client) -> None:
    run = _queued_run(rivals, rivals.owner)
    _act(owner, "agents_run", "cancel", run)
    run.refresh_from_db()
    assert run.state == "queued"


def test_an_agent_with_runs_cannot_be_deleted(team: Team, owner: Client) -> None:
    run = _queued_run(team, team.owner)
    owner.post(reverse("admin:agents_agent_delete", args=[team.agent.pk]), {"post": "yes"})
    assert Agent.objects.filter(pk=run.agent_id).exists()
