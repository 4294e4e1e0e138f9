"""Every page of the admin × everyone, by GET and by POST."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.matrix.table import ADMIN_ROWS
from tests.matrix.table.admin import ADMIN_PAGES
from tests.matrix.table.rules import admin_status
from tests.matrix.test_pages import address
from tests.matrix.world import NOBODY, PEOPLE, SUPERUSER, World, registered_models, undone

pytestmark = pytest.mark.django_db

PAGES = ("changelist", "add", "change", "delete", "history", "post add", "post change", "post delete")


@pytest.mark.parametrize("pattern", ADMIN_PAGES)
def test_a_page_of_the_admin_opens_for_whom_it_should(world: World, pattern: str) -> None:
    got, wanted = {}, {}
    for who in PEOPLE:
        for place, method in enumerate(("get", "post")):
            with undone():
                response = getattr(world.visitor(who), method)(address(world, pattern))
            got[who, method] = response.status_code
            column = {"moderator": 0, SUPERUSER: 2}.get(who, 1)
            wanted[who, method] = ADMIN_PAGES[pattern][column][place]
            if who in (NOBODY, "member"):
                wanted[who, method] = 302
    wanted["member", "get"] = wanted["member", "post"] = 403 if pattern == "admin/login/" else 302
    assert got == wanted


@pytest.mark.parametrize("model", registered_models(), ids=lambda model: model._meta.label)
def test_rows_in_the_admin_are_for_whom_they_should_be(world: World, model: type[Model]) -> None:
    rule = ADMIN_ROWS[model._meta.label]
    got, wanted = {}, {}
    for who in PEOPLE:
        browser = world.visitor(who)
        for page in PAGES:
            with undone():
                got[who, page] = _status(browser, page, model, world.rows[model].pk)
            wanted[who, page] = admin_status(rule, who, page)
    assert {key: (got[key], wanted[key]) for key in got if got[key] not in wanted[key]} == {}


def _status(browser: Client, page: str, model: type[Model], key: Any) -> int:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page.removeprefix('post ')}"
    url = reverse(name, args=[key] if page.endswith(("change", "delete", "history")) else [])
    response = browser.post(url, {"post": "yes"}) if page.startswith("post ") else browser.get(url)
    return response.status_code


def test_the_rows_of_others_are_neither_listed_nor_told_from_missing_ones(world: World) -> None:
    for model, row in world.strange_rows.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for who in ("admin", "owner"):
            browser = world.visitor(who)
            listed = browser.get(reverse(f"{name}_changelist")).context["cl"].result_list
            assert row.pk not in {each.pk for each in listed}, model
            strange = browser.get(reverse(f"{name}_change", args=[row.pk]))
            missing = browser.get(reverse(f"{name}_change", args=[2**60]))
            assert (strange.status_code, strange.get("Location")) == (
                missing.status_code,
                missing.get("Location"),
            ), model
