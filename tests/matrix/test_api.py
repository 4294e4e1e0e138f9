"""Every operation of the API × everyone, with a token and with a session."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api
from tests.matrix.table import API, COROUTINES, OPERATIONS
from tests.matrix.table.rules import api_status
from tests.matrix.world import NO_SCOPE, PEOPLE, World, undone, without_scope

pytestmark = pytest.mark.django_db


def ask(api: Api, world: World, operation: str) -> int:
    method, template = operation.split(" ")
    body = API[operation].body
    with undone():
        response: Any = api(
            method, world.path(template + API[operation].query), body(world) if body else None
        )
    assert response.status_code < 400 or response["Content-Type"] == "application/problem+json"
    return int(response.status_code)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each not in COROUTINES])
def test_everyone_gets_what_the_table_says(world: World, operation: str) -> None:
    rule = API[operation]
    got = {
        (who, way): ask(api, world, operation)
        for way, clients in (
            ("token", world.tokens),
            ("session", {who: Api(world.browsers[who]) for who in PEOPLE}),
        )
        for who, api in clients.items()
    }
    wanted = {(who, way): api_status(rule, who) for who, way in got}
    if rule.scope:
        got[NO_SCOPE, "token"] = ask(without_scope(world, rule.scope), world, operation)
        wanted[NO_SCOPE, "token"] = 403
    assert got == wanted
