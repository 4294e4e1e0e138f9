"""What runs in coroutines × everyone: sending a message, server-sent events, the WebSocket.

Their connections are their own, so the rows are committed here.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as site_settings
from websockets.exceptions import InvalidStatus

from messaging.models import Message
from tests.api.conftest import Api
from tests.matrix.table import API, COROUTINES
from tests.matrix.table.rules import api_status
from tests.matrix.world import INSIDERS, NO_SCOPE, PEOPLE, STRANGER, World, build_world, without_scope
from tests.realtime.conftest import Site, hear_ready
from tests.realtime.conftest import site as site  # the fixture

EVIL = "https://evil.example"


@pytest.fixture
def committed(transactional_db: None) -> World:
    return build_world()


@pytest.mark.parametrize("operation", COROUTINES)
def test_everyone_gets_what_the_table_says(committed: World, operation: str) -> None:
    rule = API[operation]
    method, template = operation.split(" ")
    clients = {
        **{(who, "token"): api for who, api in committed.tokens.items()},
        **{(who, "session"): Api(committed.browsers[who]) for who in PEOPLE},
        (NO_SCOPE, "token"): without_scope(committed, rule.scope),
    }
    got = {}
    for key, api in clients.items():
        body = rule.body(committed) if rule.body else None
        response: Any = api(method, committed.path(template), body)
        if response.streaming:
            response.close()
        got[key] = response.status_code
    assert got == {key: 403 if key[0] == NO_SCOPE else api_status(rule, key[0]) for key in clients}
    if method == "POST":
        assert Message.objects.filter(text="hello").count() == 2


def cookie(world: World, who: str) -> dict[str, str]:
    found = world.browsers[who].cookies[site_settings.SESSION_COOKIE_NAME].value
    return {"Cookie": f"{site_settings.SESSION_COOKIE_NAME}={found}"}


def opens(site: Site, headers: dict[str, str]) -> bool:
    try:
        with site.open("", headers=headers) as socket:
            hear_ready(socket)
    except InvalidStatus:
        return False
    return True


def test_the_socket_opens_for_whom_it_should(site: Site, committed: World) -> None:
    ways: dict[tuple[str, str], dict[str, str]] = {("nobody", "nothing"): {}}
    for who in (STRANGER, *INSIDERS):
        token = committed.tokens[who].headers["Authorization"]
        ways[who, "token"] = {"Authorization": token}
        ways[who, "token from elsewhere"] = {"Authorization": token, "Origin": EVIL}
        ways[who, "session"] = cookie(committed, who)
        ways[who, "session from here"] = {
            **cookie(committed, who),
            "Origin": f"http://{site.address}",
        }
        ways[who, "session from elsewhere"] = {**cookie(committed, who), "Origin": EVIL}
    ways["superuser", "session"] = cookie(committed, "superuser")
    ways[NO_SCOPE, "token"] = without_scope(committed, "events:read").headers
    got = {key: opens(site, headers) for key, headers in ways.items()}
    refused = {"nothing", "session from elsewhere"}
    assert got == {(who, way): way not in refused and who not in ("superuser", NO_SCOPE) for who, way in ways}
