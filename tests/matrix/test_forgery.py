"""Nothing acts by a session that another site could have asked for."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.conftest import Api
from tests.matrix.table import ACTS, API, COROUTINES
from tests.matrix.table.rules import Act
from tests.matrix.test_pages import address
from tests.matrix.world import World, undone

pytestmark = pytest.mark.django_db

WRITES = [each for each in API if not each.startswith("GET ") and each not in COROUTINES]
TOKEN = "a" * 32
EVIL = "https://evil.example"


def strict(world: World, who: str = "owner") -> Client:
    client = Client(enforce_csrf_checks=True)
    client.cookies.update(world.browsers[who].cookies)
    client.cookies["csrftoken"] = TOKEN
    return client


@pytest.mark.parametrize("operation", WRITES)
def test_an_operation_refuses_a_session_without_the_token_or_from_elsewhere(
    world: World, operation: str
) -> None:
    method, template = operation.split(" ")
    body = API[operation].body
    data = body(world) if body else None
    api = Api(strict(world))
    for headers in (
        {},
        {"X-CSRFToken": "b" * 32},
        {"X-CSRFToken": TOKEN, "Origin": EVIL},
        {"X-CSRFToken": TOKEN, "Origin": "null"},
    ):
        with undone():
            response = api(method, world.path(template), data, **headers)
        assert response.status_code == 403, headers
        assert "CSRF" in response.json()["detail"]


def test_a_bearer_token_needs_no_csrf_token(world: World) -> None:
    api = Api(Client(enforce_csrf_checks=True), **world.tokens["owner"].headers)
    with undone():
        assert api("POST", "/agents", {"name": "By token"}, Origin=EVIL).status_code == 201


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.page}{act.name}")
def test_a_form_refuses_what_comes_without_the_token_or_from_elsewhere(world: World, act: Act) -> None:
    for data, headers in (
        ({}, {}),
        ({"csrfmiddlewaretoken": "b" * 32}, {}),
        ({"csrfmiddlewaretoken": TOKEN}, {"Origin": EVIL}),
    ):
        with undone():
            response = strict(world).post(
                address(world, act.page), {**act.form(world), **data}, headers=headers
            )
        assert response.status_code == 403
        assert "open too long" in response.content.decode()


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/logout/", "/admin/accounts/user/add/", "/sign-in/x/"]
)
def test_signing_in_and_the_admin_are_guarded_too(world: World, path: str) -> None:
    assert strict(world, "superuser").post(path, {}).status_code == 403
