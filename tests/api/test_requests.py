"""What every request may expect: who is let in, how errors look, how pages go on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Message
from tests.api.conftest import Api, as_session, as_token


def is_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:spacebot:problem:")
    assert body["detail"]
    return body


def start(api: Api, team: Any) -> int:
    made = api.post("/conversations", {"agent_id": team.agent.pk})
    assert made.status_code == 201, made.content
    number: int = made.json()["id"]
    return number


def test_a_message_is_stored_once_for_its_client_id(acme: Any) -> None:
    api = as_token(acme.member)
    path = f"/conversations/{start(api, acme)}/messages"
    first = api.post(path, {"text": "hello\tthere", "client_id": "a"})
    again = api.post(path, {"text": "hello\tthere", "client_id": "a"})
    assert first.status_code == again.status_code == 201, first.content
    assert first.json()["message"]["id"] == again.json()["message"]["id"]
    assert Message.objects.count() == 1
    assert api.get(path).json()["items"][0]["text"] == "hello\tthere"


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": "   "},
        {"text": "a\x00b"},
        {"text": "x" * 100_001},
        {"text": "\ud800"},
        {"text": 5},
        {"text": None},
        {},
        {"text": "a", "more": 1},
        {"text": "a", "reply_to_id": 10**30},
        {"text": "a", "reply_to_id": 99},
        [],
        "text",
    ],
)
def test_a_message_that_cannot_be_stored_is_refused_and_nothing_is_written(acme: Any, body: Any) -> None:
    api = as_token(acme.member)
    path = f"/conversations/{start(api, acme)}/messages"
    is_problem(api.post(path, body), 422)
    assert not Message.objects.exists()


@pytest.mark.parametrize("text", ["שלום עולם", "👩‍👩‍👧‍👦 🎉", "x" * 100_000, "a\n\tb"])
def test_any_script_and_emoji_comes_back_as_it_was_sent(acme: Any, text: str) -> None:
    api = as_token(acme.member)
    path = f"/conversations/{start(api, acme)}/messages"
    assert api.post(path, {"text": text}).json()["message"]["text"] == text


def test_errors_of_the_wire_have_the_one_shape(acme: Any) -> None:
    api = as_token(acme.member)
    client = api.client

    def send(data: bytes) -> Any:
        return client.post(
            "/api/v1/conversations", data, content_type="application/json", headers=api.headers
        )

    is_problem(send(b"{not json"), 400)
    is_problem(send(b"\xff\xfe"), 400)
    is_problem(send(b'{"agent_id": 1, "title": "' + b"x" * 3_000_000 + b'"}'), 413)
    is_problem(api.get("/nothing"), 404)
    is_problem(client.get("/api/nothing"), 404)
    assert api("DELETE", "/agents")["Allow"]
    is_problem(api("DELETE", "/agents"), 405)
    is_problem(api.get("/agents/99999999999999999999999"), 422)
    is_problem(api.get("/agents/999999"), 404)
    is_problem(api.get("/conversations?search=%00"), 422)
    is_problem(api.get("/runs?cursor=abc"), 422)
    is_problem(api.get("/runs?limit=0"), 422)
    is_problem(client.get("/api/v1/agents", headers={"Host": "evil.example"}), 400)


def test_a_failure_of_ours_is_a_problem_without_details(acme: Any, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setattr("agents.queries.list_agents", lambda actor: 1 / 0)
    found = is_problem(as_token(acme.member).get("/agents"), 500)
    assert "division" not in json.dumps(found)
    assert "division" in caplog.text


def test_nobody_is_told_to_sign_in(acme: Any) -> None:
    response = Api(Client()).get("/agents")
    is_problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"
    is_problem(Api(Client(), Authorization="Bearer sb_wrong").get("/agents"), 401)


def test_a_session_needs_the_csrf_token_and_a_trusted_origin_to_write(acme: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(acme.member.user, backend="django.contrib.auth.backends.ModelBackend")
    api = Api(client)
    body = {"agent_id": acme.agent.pk}
    assert api.get("/agents").status_code == 200
    is_problem(api.post("/conversations", body), 403)
    client.cookies["csrftoken"] = token = "a" * 32
    assert api("POST", "/conversations", body, **{"X-CSRFToken": token}).status_code == 201
    headers = {"X-CSRFToken": token, "Origin": "https://evil.example"}
    is_problem(api("POST", "/conversations", body, **headers), 403)
    assert as_token(acme.member).post("/conversations", body).status_code == 201


def test_a_session_chooses_its_organization_by_header(acme: Any, others: Any) -> None:
    api = as_session(acme.member)
    assert api("GET", "/organization", **{"X-Organization": "acme"}).json()["slug"] == "acme"
    is_problem(api("GET", "/organization", **{"X-Organization": "others"}), 404)


def test_who_asks_too_often_is_told_when_to_come_back(acme: Any, settings: Any) -> None:
    settings.SPACEBOT_RATE_SIGNED_IN = 3
    api = as_token(acme.member)
    answers = [api.get("/agents") for _ in range(8)]
    refused = next(answer for answer in answers if answer.status_code != 200)
    is_problem(refused, 429)
    assert 1 <= int(refused["Retry-After"]) <= 60


def test_strangers_are_counted_by_address(acme: Any, settings: Any) -> None:
    settings.SPACEBOT_RATE_ANONYMOUS = 2
    settings.ALLOWED_HOSTS = ["*"]
    answers = [Client(REMOTE_ADDR="10.1.2.3").get("/api/v1/agents").status_code for _ in range(6)]
    assert answers[0] == 401
    assert 429 in answers


def test_pages_lead_through_everything_once(acme: Any) -> None:
    api = as_token(acme.member)
    made = {start(api, acme) for _ in range(5)}
    seen: list[int] = []
    cursor = ""
    while True:
        found = api.get(f"/conversations?limit=2&cursor={cursor}").json()
        seen += [item["id"] for item in found["items"]]
        if not (cursor := found["next"]):
            break
    assert sorted(seen) == sorted(made)


def test_messages_page_from_the_newest_to_the_oldest(acme: Any) -> None:
    api = as_token(acme.member)
    path = f"/conversations/{start(api, acme)}/messages"
    for number in range(5):
        api.post(path, {"text": f"{number}"})
    first = api.get(f"{path}?limit=2").json()
    second = api.get(f"{path}?limit=3&cursor={first['next']}").json()
    assert [item["text"] for item in second["items"] + first["items"]] == list("01234")
    assert second["next"] is None
    newer = api.get(f"{path}?limit=2&after_seq=2").json()
    assert [item["seq"] for item in newer["items"]] == [3, 4]


def test_secret_values_go_in_and_never_come_out(acme: Any) -> None:
    api = as_token(acme.owner)
    assert api("PUT", "/secrets/MY_KEY", {"value": "hunter2-hunter2-hunter2"}).status_code == 200
    listed = api.get("/secrets")
    assert [item["name"] for item in listed.json()["items"]] == ["MY_KEY"]
    assert b"hunter2" not in listed.content
    assert api("DELETE", "/secrets/MY_KEY").status_code == 204
    is_problem(api("DELETE", "/secrets/MY_KEY"), 404)


def test_the_history_of_events_shows_only_what_one_may_read(acme: Any) -> None:
    member, owner = as_token(acme.member), as_token(acme.owner)
    member.post(f"/conversations/{start(member, acme)}/messages", {"text": "private"})
    kinds = [item["kind"] for item in member.get("/events/history").json()["items"]]
    assert "message.created" in kinds
    assert owner.get("/events/history").json()["items"] == []


def test_a_token_cannot_make_a_mightier_one(acme: Any) -> None:
    api = as_token(acme.owner, "tokens:write", "agents:read")
    made = api.post("/tokens", {"name": "small", "scopes": ["agents:read"]})
    assert made.status_code == 201
    assert made.json()["token"].startswith("sb_")
    is_problem(api.post("/tokens", {"name": "big", "scopes": ["secrets:write"]}), 403)


def test_reading_a_list_costs_few_queries(acme: Any) -> None:
    api = as_token(acme.member)
    start(api, acme)
    api.get("/conversations")
    with CaptureQueriesContext(connection) as queries:
        api.get("/conversations")
    assert len(queries) <= 3


def test_the_docs_work_without_scripts_and_without_foreign_files(acme: Any, settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    assert b"/api/v1/conversations" in page.content
    assert b"<script" not in page.content
    assert b"https://" not in page.content
    assert "script-src" not in page["Content-Security-Policy"]


def test_the_description_in_the_repository_is_current(acme: Any) -> None:
    from django.core.management import call_command

    call_command("openapi", "--check")
    assert Client().get("/api/v1/openapi.json").json()["info"]["title"] == "Spacebot"
