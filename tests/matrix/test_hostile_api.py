"""What is sent to make things break: every text, number and body of every operation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps

from spacebot_site.api.docs import schema
from tests.api.conftest import Api, Upload
from tests.matrix.table import API, COROUTINES
from tests.matrix.world import World, undone

pytestmark = pytest.mark.django_db

SCHEMA = schema()
OURS = ("accounts", "secrets", "realtime", "llm", "messaging", "agents")
CANNOT_BE = {
    "a NUL": "a\x00b",
    "half a character": "a\ud800b",
    "a megabyte": "x" * 1_000_000,
    "a number": 5,
    "a list": ["x"],
    "an object": {"a": "b"},
    "a truth": True,
}
NUMBERS = [2**63, -(2**63), 10**400, 1e308, "x", [], {}, True]
BODIES: dict[str, tuple[bytes, int]] = {
    "cut off": (b'{"name": ', 400),
    "not JSON": (b"name=x", 400),
    "not UTF-8": (b'{"name": "\xff\xfe"}', 400),
    "NaN": (b'{"name": NaN}', 400),
    "deep": (b"[" * 200_000, 400),
    "deep and whole": (b"[" * 200_000 + b"]" * 200_000, 400),
    "a name twice": (b'{"name": "a", "name": "b"}', 400),
    "a name twice inside": (b'{"name": {"a": 1, "a": 2}}', 400),
    "a long number": (b'{"name": ' + b"9" * 10_000 + b"}", 400),
    "a list": (b"[]", 422),
    "a text": (b'"text"', 422),
    "nothing": (b"null", 422),
    "empty": (b"", 422),
    "an unknown field": (b'{"surprise": 1}', 422),
}


def _properties(operation: str) -> dict[str, Any]:
    method, path = operation.split(" ")
    described = SCHEMA["paths"][f"/api/v1{path}"][method.lower()].get("requestBody")
    if described is None or "application/json" not in described["content"]:
        return {}  # A file comes as a form, and its own tests know what it may hold.
    name = described["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    found: dict[str, Any] = SCHEMA["components"]["schemas"][name]["properties"]
    return found


def _is(kind: str, field: dict[str, Any]) -> bool:
    return kind in [field.get("type"), *(each.get("type") for each in field.get("anyOf", []))]


WITH_BODY = [each for each in API if _properties(each) and each not in COROUTINES]
TEXTS = [
    (each, name) for each in WITH_BODY for name, field in _properties(each).items() if _is("string", field)
]
COUNTS = [
    (each, name) for each in WITH_BODY for name, field in _properties(each).items() if _is("integer", field)
]


def counts() -> dict[str, int]:
    return {
        model._meta.label: model._default_manager.count()
        for label in OURS
        for model in apps.get_app_config(label).get_models()
    }


def body_of(world: World, operation: str) -> Any:
    body = API[operation].body
    made = body(world) if body else {}
    return made if isinstance(made, Upload) else dict(made)


def client_for(world: World, operation: str) -> Api:
    return world.tokens["member" if API[operation].participants else "owner"]


def is_problem(response: Any) -> bool:
    return response["Content-Type"] == "application/problem+json" and bool(response.json()["detail"])


@pytest.mark.parametrize(("operation", "name"), TEXTS)
def test_a_text_that_cannot_be_is_refused_and_nothing_is_written(
    world: World, operation: str, name: str
) -> None:
    api, before = client_for(world, operation), counts()
    method, template = operation.split(" ")
    for what, value in CANNOT_BE.items():
        if name.endswith("_price") and what == "a number":
            continue
        with undone():
            response = api(method, world.path(template), {**body_of(world, operation), name: value})
            assert response.status_code in (404, 422), (what, response.content[:200])
            assert is_problem(response)
            assert counts() == before, what


@pytest.mark.parametrize(("operation", "name"), TEXTS)
@pytest.mark.parametrize(
    "text", ["", "   ", "\x1b[31m\x07", "שלום ‏עולם", "👩‍👩‍👧‍👦🎉", "' OR 1=1 --", "<script>", "../../etc"]
)
def test_any_other_text_is_stored_as_it_is_or_refused(
    world: World, operation: str, name: str, text: str
) -> None:
    method, template = operation.split(" ")
    with undone():
        response = client_for(world, operation)(
            method, world.path(template), {**body_of(world, operation), name: text}
        )
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert is_problem(response)
    elif text.strip() and response.content and name in response.json():
        assert response.json()[name] == text.strip()


@pytest.mark.parametrize(("operation", "name"), COUNTS)
def test_a_number_out_of_range_is_refused(world: World, operation: str, name: str) -> None:
    method, template = operation.split(" ")
    for value in NUMBERS:
        with undone():
            response = client_for(world, operation)(
                method, world.path(template), {**body_of(world, operation), name: value}
            )
        assert response.status_code in (400, 404, 422) or value is True, (value, response.content[:200])
        assert response.status_code < 500


@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_that_cannot_be_read_is_refused(world: World, operation: str) -> None:
    api, before = client_for(world, operation), counts()
    method, template = operation.split(" ")
    for what, (data, status) in BODIES.items():
        with undone():
            response = api.client.generic(
                method,
                f"/api/v1{world.path(template)}",
                data,
                content_type="application/json",
                headers=api.headers,
            )
            assert response.status_code == status, (what, response.content[:200])
            assert is_problem(response)
            assert counts() == before, what


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"],
)
def test_a_body_of_another_kind_is_refused(world: World, kind: str) -> None:
    api = world.tokens["owner"]
    response = api.client.generic(
        "POST", "/api/v1/agents", json.dumps({"name": "x"}), content_type=kind, headers=api.headers
    )
    assert response.status_code == 415
    assert is_problem(response)


@pytest.mark.parametrize("operation", [each for each in API if "{" in each and each not in COROUTINES])
def test_an_id_that_nothing_has_is_not_found_and_one_that_cannot_be_is_refused(
    world: World, operation: str
) -> None:
    method, template = operation.split(" ")
    for value in (2**62, 2**63, 10**30, "9" * 5000, -1, 0, "x", "%00", "%F0%9F%8E%89", "1.5", "%2e%2e"):
        path = template
        for name in (
            "message_id",
            "conversation_id",
            "user_id",
            "run_id",
            "agent_id",
            "model_id",
            "provider_id",
            "token_id",
            "memory_id",
            "item_id",
            "file_id",
            "merge_id",
            "target_id",
            "name",
            "process",
        ):
            path = path.replace("{" + name + "}", str(value))
        with undone():
            response = client_for(world, operation)(method, world.path(path), body_of(world, operation))
        assert response.status_code in (404, 422), (value, response.status_code, response.content[:200])
        assert is_problem(response)


@pytest.mark.parametrize(
    "path",
    [
        "/agents",
        "/runs",
        "/conversations",
        "/members",
        "/tokens",
        "/audit",
        "/models",
        "/providers",
        "/events/history",
        "/conversations/{conversation_id}/messages",
    ],
)
@pytest.mark.parametrize(
    "query",
    [
        "cursor=-1",
        "cursor=9999999999999999999999",
        "cursor=%00",
        "cursor=x",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=99999999999999999999",
        "after_seq=99999999999999999999999",
        "after_seq=-99999999999999999999999",
        "after=99999999999999999999999",
        "agent_id=9999999999999999999999",
        "conversation_id=x",
        "search=%00",
        "search=%FF%FE",
        "search=%27%3A%2A%20%7C%20%28%21",
        "archived=x",
        "organization=%00",
        "kind=x",
        "live=x",
    ],
)
def test_a_query_cannot_break_a_list(world: World, path: str, query: str) -> None:
    response = world.tokens["member" if path != "/audit" else "owner"].get(f"{world.path(path)}?{query}")
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert is_problem(response)


def test_a_change_with_one_bad_part_changes_nothing(world: World) -> None:
    api = world.tokens["owner"]
    for path, good, bad in (
        ("/organization", {"name": "Changed"}, {"time_zone": "Mars/Olympus"}),
        ("/agents/{agent_id}", {"tagline": "Changed"}, {"name": ""}),
        ("/providers/{provider_id}", {"timeout_s": 7}, {"name": ""}),
        ("/models/{model_id}", {"label": "Changed"}, {"context_window": -1}),
        ("/models/{model_id}", {"label": "Changed"}, {"input_price": "NaN"}),
    ):
        before = api.get(world.path(path)).json()
        with undone():
            assert api("PATCH", world.path(path), {**good, **bad}).status_code == 422, path
            assert api.get(world.path(path)).json() == before
