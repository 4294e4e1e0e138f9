"""Every admin class, for every kind of person: which pages open and which rows they hold."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin_base import TenantAdmin
from tests.admin.rows import WHISPER, make_installation_rows, make_rows
from tests.factories import Team

OURS = ("accounts", "secrets", "realtime", "llm", "messaging", "agents")
MODELS = [model for label in OURS for model in apps.get_app_config(label).get_models()]
INSTALLATION = {"SignInLink", "DataKey", "EventCounter"}
TENANT = [model for model in MODELS if model.__name__ not in INSTALLATION]


def _name(model: type[Model]) -> str:
    return model._meta.label


def _list_url(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _page_url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _row_keys(client: Client, model: type[Model]) -> set[object]:
    response = client.get(_list_url(model))
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def test_every_model_is_in_the_admin_behind_the_tenant_base() -> None:
    assert len(MODELS) >= 29
    for model in MODELS:
        assert isinstance(admin.site._registry.get(model), TenantAdmin), model


def test_what_has_no_organization_is_left_to_superusers() -> None:
    for model in admin.site._registry:
        if model._meta.app_label in OURS:
            registered = admin.site._registry[model]
            assert isinstance(registered, TenantAdmin)
            assert (registered.organization_path is None) == (model.__name__ in INSTALLATION), model


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_an_administrator_sees_their_own_rows_only(
    model: type[Model],
    team: Team,
    rivals: Team,
    owner: Client,
    admin_of_acme: Client,
    owner_of_rivals: Client,
) -> None:
    mine, theirs = make_rows(team)[model], make_rows(rivals)[model]
    for client in (owner, admin_of_acme):
        keys = _row_keys(client, model)
        assert mine.pk in keys
        assert theirs.pk not in keys
        assert client.get(_page_url(mine)).status_code == 200
        assert client.get(_page_url(theirs)).status_code == 302
    assert mine.pk not in _row_keys(owner_of_rivals, model)


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_a_superuser_sees_the_rows_of_all(
    model: type[Model], team: Team, rivals: Team, superuser: Client
) -> None:
    mine, theirs = make_rows(team)[model], make_rows(rivals)[model]
    assert {mine.pk, theirs.pk} <= _row_keys(superuser, model)
    for row in (mine, theirs):
        assert superuser.get(_page_url(row)).status_code == 200


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_members_and_moderators_are_turned_away(
    model: type[Model], team: Team, member: Client, moderator: Client
) -> None:
    row = make_rows(team)[model]
    team.moderator.user.is_staff = True
    team.moderator.user.save()
    for url in (_list_url(model), _page_url(row)):
        assert moderator.get(url).status_code == 403
        assert member.get(url).status_code == 302
        assert "/login/" in member.get(url).headers["Location"]


def test_rows_of_the_installation_open_for_superusers_alone(
    team: Team, superuser: Client, owner: Client
) -> None:
    make_rows(team)
    for row in make_installation_rows(team):
        assert superuser.get(_list_url(type(row))).status_code == 200
        assert superuser.get(_page_url(row)).status_code == 200
        assert owner.get(_list_url(type(row))).status_code == 403
        assert owner.get(_page_url(row)).status_code in (302, 403)


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_private_words_show_to_superusers_alone(
    model: type[Model], team: Team, owner: Client, superuser: Client
) -> None:
    row = make_rows(team)[model]
    history = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_history", args=[row.pk])
    for url in (_list_url(model), _page_url(row), history):
        assert WHISPER not in owner.get(url).content.decode()
    registered = admin.site._registry[model]
    assert isinstance(registered, TenantAdmin)
    if registered.private_fields:
        assert WHISPER in superuser.get(_page_url(row)).content.decode()


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_private_words_cannot_be_searched_for(model: type[Model], team: Team, owner: Client) -> None:
    make_rows(team)
    registered = admin.site._registry[model]
    if not registered.search_fields:
        return
    response = owner.get(_list_url(model), {"q": WHISPER})
    assert response.status_code == 200
    assert list(response.context["cl"].result_list) == []


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_what_runs_depend_on_cannot_be_changed(model: type[Model], team: Team, superuser: Client) -> None:
    registered = admin.site._registry[model]
    assert isinstance(registered, TenantAdmin)
    if not registered.read_only:
        return
    row = make_rows(team)[model]
    app, name = model._meta.app_label, model._meta.model_name
    assert superuser.get(reverse(f"admin:{app}_{name}_add")).status_code == 403
    assert superuser.post(_page_url(row), {}).status_code == 403
    assert (
        superuser.post(reverse(f"admin:{app}_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code
        == 403
    )


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_the_pages_to_add_open_without_offering_other_organizations(
    model: type[Model], team: Team, rivals: Team, owner: Client
) -> None:
    registered = admin.site._registry[model]
    assert isinstance(registered, TenantAdmin)
    make_rows(team), make_rows(rivals)
    response = owner.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
    addable = registered.addable and not registered.read_only and model.__name__ != "User"
    assert response.status_code == (200 if addable else 403)
    for name, field in response.context["adminform"].form.fields.items() if addable else ():
        for choice in getattr(field, "queryset", ()):
            within = choice if name == "organization" else getattr(choice, "organization", team.organization)
            assert within == team.organization, name


@pytest.mark.parametrize("model", TENANT, ids=_name)
def test_a_longer_list_costs_no_more_queries(
    model: type[Model], team: Team, rivals: Team, superuser: Client
) -> None:
    make_rows(team)
    superuser.get(_list_url(model))
    with CaptureQueriesContext(connection) as one:
        superuser.get(_list_url(model))
    make_rows(rivals)
    with CaptureQueriesContext(connection) as two:
        superuser.get(_list_url(model))
    assert len(two) <= len(one)
    assert len(two) <= 12


def test_the_front_page_opens_for_administrators(team: Team, owner: Client, superuser: Client) -> None:
    for client in (owner, superuser):
        response = client.get(reverse("admin:index"))
        assert response.status_code == 200
        assert reverse("admin:agents_run_changelist") in response.content.decode()
    assert (
        reverse("admin:secrets_datakey_changelist") not in owner.get(reverse("admin:index")).content.decode()
    )


def test_the_admin_signs_in_at_the_sites_own_door(db: None) -> None:
    response = Client().get(reverse("admin:login"))
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("account_login"))
