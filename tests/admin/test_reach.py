"""Every admin class, for every kind of person: which pages open and which rows they hold."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin_base import TenantAdmin
from accounts.models import Organization, User
from tests.admin.rows import WHISPER, make_installation_rows, make_rows
from tests.factories import Team

OURS = ("accounts", "secrets", "realtime", "llm", "messaging", "agents", "memory")
# Made from other rows and made anew at any time; what they hold is words of private texts.
INDEXES = {
    "CommonTerm", "IndexedMessage", "MessagePosting", "Posting", "Section", "SectionPosting", "Shelf", "TranscriptState",
}  # fmt: skip
# The text of a file on its way into memories, gone once it has arrived.
PASSING = {"IngestedChunk"}
MODELS = [
    model
    for label in OURS
    for model in apps.get_app_config(label).get_models()
    if model.__name__ not in INDEXES | PASSING
]
INSTALLATION = {"SignInLink", "DataKey", "EventCounter", "Vault"}
TENANT = [model for model in MODELS if model.__name__ not in INSTALLATION]


def _page(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def _registered(model: type[Model]) -> TenantAdmin:
    found = admin.site._registry[model]
    assert isinstance(found, TenantAdmin)
    return found


def _list_url(model: type[Model]) -> str:
    return reverse(f"admin:{_page(model)}_changelist")


def _page_url(row: Model) -> str:
    return reverse(f"admin:{_page(type(row))}_change", args=[row.pk])


def _row_keys(client: Client, model: type[Model]) -> set[object]:
    response = client.get(_list_url(model))
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def _is_within(choice: Any, team: Team) -> bool:
    if isinstance(choice, User):
        return choice.memberships.filter(organization=team.organization).exists()
    if isinstance(choice, Organization):
        return choice == team.organization
    return bool(choice.organization == team.organization)


def test_every_model_is_in_the_admin_behind_the_tenant_base() -> None:
    assert len(MODELS) >= 29
    for model in MODELS:
        assert isinstance(admin.site._registry.get(model), TenantAdmin), model


def test_what_has_no_organization_is_left_to_superusers() -> None:
    for model in admin.site._registry:
        if model._meta.app_label in OURS:
            assert (_registered(model).organization_path is None) == (model.__name__ in INSTALLATION), model


def test_an_administrator_sees_their_own_rows_only(
    team: Team, rivals: Team, owner: Client, admin_of_acme: Client, owner_of_rivals: Client
) -> None:
    ours, theirs = make_rows(team), make_rows(rivals)
    for model in TENANT:
        for client in (owner, admin_of_acme):
            keys = _row_keys(client, model)
            assert ours[model].pk in keys, model
            assert theirs[model].pk not in keys, model
            assert client.get(_page_url(theirs[model])).status_code == 302, model
        assert owner.get(_page_url(ours[model])).status_code == 200, model
        assert ours[model].pk not in _row_keys(owner_of_rivals, model), model


def test_a_superuser_sees_the_rows_of_all(team: Team, rivals: Team, superuser: Client) -> None:
    ours, theirs = make_rows(team), make_rows(rivals)
    for model in TENANT:
        assert {ours[model].pk, theirs[model].pk} <= _row_keys(superuser, model), model
        assert superuser.get(_page_url(theirs[model])).status_code == 200, model


def test_rows_of_the_installation_open_for_superusers_alone(
    team: Team, superuser: Client, owner: Client
) -> None:
    make_rows(team)
    for row in make_installation_rows(team):
        assert superuser.get(_list_url(type(row))).status_code == 200
        assert superuser.get(_page_url(row)).status_code == 200
        assert owner.get(_list_url(type(row))).status_code == 403
        assert owner.get(_page_url(row)).status_code in (302, 403)


def test_private_words_show_to_superusers_alone(team: Team, owner: Client, superuser: Client) -> None:
    rows = make_rows(team)
    for model in TENANT:
        history = reverse(f"admin:{_page(model)}_history", args=[rows[model].pk])
        for url in (_list_url(model), _page_url(rows[model]), history):
            assert WHISPER not in owner.get(url).content.decode(), url
        if _registered(model).private_fields:
            assert WHISPER in superuser.get(_page_url(rows[model])).content.decode(), model


def test_private_words_cannot_be_searched_for(team: Team, owner: Client) -> None:
    make_rows(team)
    for model in TENANT:
        if _registered(model).search_fields:
            response = owner.get(_list_url(model), {"q": WHISPER})
            assert response.status_code == 200, model
            assert list(response.context["cl"].result_list) == [], model


def test_what_runs_depend_on_cannot_be_changed(team: Team, superuser: Client) -> None:
    rows = make_rows(team)
    read_only = [model for model in TENANT if _registered(model).read_only]
    assert len(read_only) >= 15
    for model in read_only:
        delete = reverse(f"admin:{_page(model)}_delete", args=[rows[model].pk])
        assert superuser.get(reverse(f"admin:{_page(model)}_add")).status_code == 403, model
        assert superuser.post(_page_url(rows[model]), {}).status_code == 403, model
        assert superuser.post(delete, {"post": "yes"}).status_code == 403, model


def test_the_pages_to_add_open_without_offering_other_organizations(
    team: Team, rivals: Team, owner: Client
) -> None:
    make_rows(team), make_rows(rivals)
    for model in TENANT:
        registered = _registered(model)
        addable = registered.addable and not registered.read_only and model is not User
        response = owner.get(reverse(f"admin:{_page(model)}_add"))
        assert response.status_code == (200 if addable else 403), model
        for name, field in response.context["adminform"].form.fields.items() if addable else ():
            for choice in getattr(field, "queryset", ()):
                within = (
                    choice if name == "organization" else getattr(choice, "organization", team.organization)
                )
                assert within == team.organization, (model, name)


def test_a_longer_list_costs_no_more_queries(team: Team, rivals: Team, superuser: Client) -> None:
    def count(model: type[Model]) -> int:
        with CaptureQueriesContext(connection) as queries:
            superuser.get(_list_url(model))
        return len(queries)

    make_rows(team)
    superuser.get(_list_url(User))
    before = {model: count(model) for model in TENANT}
    make_rows(rivals)
    for model in TENANT:
        assert count(model) <= before[model] <= 12, model


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
