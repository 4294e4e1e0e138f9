"""The door for webhooks: what is kept, what is refused, and that no line of a log tells what opens it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from typing import Any

import pytest
from django.test import Client

from accounts.actor import Actor
from tasks.models import Wake, WakeEvent, WakePayload
from tasks.services.wakes import definitions, webhooks
from tests.factories import Team

OUTSIDE = Client(enforce_csrf_checks=True)


def make(actor: Actor, agent_id: int, **values: Any) -> tuple[Wake, definitions.Secrets]:
    wake, found = definitions.create_wake(actor, agent_id, trigger="webhook", name="Orders", **values)
    assert found is not None
    return wake, found


@pytest.fixture
def hook(team: Team) -> tuple[Wake, definitions.Secrets]:
    return make(team.admin, team.agent.pk)


def send(token: str, body: Any = b'{"order": 7}', **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return OUTSIDE.post(f"/hooks/{token}/", sent, content_type="application/json", headers=headers)


def refused(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["detail"]
    return found


def test_every_payload_is_kept_in_one_event(hook: tuple[Wake, definitions.Secrets]) -> None:
    wake, found = hook
    for number in (1, 2, 3):
        assert send(found.token, {"order": number}).status_code == 202
    event = WakeEvent.objects.get(wake=wake)
    assert (event.state, event.count) == ("pending", 3)
    kept = list(event.payloads.order_by("pk"))
    assert [row.payload for row in kept] == [{"order": 1}, {"order": 2}, {"order": 3}]
    assert all(row.from_outside for row in kept)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"name=x", b"\xff\xfe\x00", b'"\\ud800"', b"1e999", b"NaN", b"[" * 60_000, b"9" * 5_000, b'{"a": "\\u0000"}',
        b"[" * 900 + b"]" * 900,
    ],
)  # fmt: skip
def test_whatever_is_sent_is_kept(hook: tuple[Wake, definitions.Secrets], body: bytes) -> None:
    assert send(hook[1].token, body).status_code == 202
    assert WakePayload.objects.filter(event__wake=hook[0]).count() == 1


def test_no_session_is_begun_and_no_csrf_token_is_asked_for(hook: tuple[Wake, definitions.Secrets]) -> None:
    answer = send(hook[1].token)
    assert answer.status_code == 202
    assert answer.cookies == {}
    assert "no-store" in answer["Cache-Control"]


def test_only_post_is_answered(hook: tuple[Wake, definitions.Secrets]) -> None:
    for method in ("get", "put", "delete", "patch", "head"):
        answer = getattr(OUTSIDE, method)(f"/hooks/{hook[1].token}/")
        assert answer.status_code == 405
        assert answer["Allow"] == "POST"
    assert WakeEvent.objects.count() == 0


def test_an_unknown_token_finds_nothing_and_cannot_be_guessed_for_long(team: Team, settings: Any) -> None:
    settings.SPACEBOT_RATE_ANONYMOUS = 1
    # A minute may end between two of them.
    statuses = [
        OUTSIDE.post(f"/hooks/no{number}/", REMOTE_ADDR="203.0.113.7").status_code for number in range(4)
    ]
    assert statuses[0] == 404
    assert 429 in statuses


def test_a_webhook_that_is_off_keeps_nothing(team: Team, hook: tuple[Wake, definitions.Secrets]) -> None:
    definitions.change_wake(team.admin, hook[0].pk, enabled=False)
    refused(send(hook[1].token), 409)
    assert WakeEvent.objects.count() == 0


def test_a_renewed_token_closes_the_old_address(team: Team, hook: tuple[Wake, definitions.Secrets]) -> None:
    _, newer = definitions.renew_token(team.admin, hook[0].pk)
    refused(send(hook[1].token), 404)
    assert send(newer.token).status_code == 202


def test_a_signature_is_checked_where_it_is_asked_for(team: Team) -> None:
    _, found = make(team.admin, team.agent.pk, signed=True)
    body = b'{"order": 7}'
    right = hmac.new(found.signing_key.encode(), body, hashlib.sha256).hexdigest()
    for name in webhooks.SIGNATURE_HEADERS:
        assert send(found.token, body, **{name: f"sha256={right}"}).status_code == 202
    for headers in (
        {},
        {"X-Spacebot-Signature": ""},
        {"X-Spacebot-Signature": "sha256=" + "0" * 64},
        {"X-Spacebot-Signature": hmac.new(found.token.encode(), body, hashlib.sha256).hexdigest()},
        {"X-Spacebot-Signature": "sha256=ä"},
    ):
        refused(send(found.token, body, **headers), 403)
    refused(send(found.token, b'{"order": 8}', **{"X-Spacebot-Signature": right}), 403)
    assert WakePayload.objects.count() == 2


def test_the_limit_of_size_is_exact_and_no_more_is_read(hook: tuple[Wake, definitions.Secrets]) -> None:
    assert send(hook[1].token, b"x" * webhooks.MOST_BYTES).status_code == 202
    refused(send(hook[1].token, b"x" * (webhooks.MOST_BYTES + 1)), 413)
    assert WakePayload.objects.count() == 1


def test_a_minute_takes_so_many_and_then_says_when_to_come_again(
    hook: tuple[Wake, definitions.Secrets], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST_A_MINUTE", 2)
    assert [send(hook[1].token).status_code for _ in range(2)] == [202, 202]
    answer = send(hook[1].token)
    refused(answer, 429)
    assert answer["Retry-After"] == "60"
    assert WakePayload.objects.count() == 2


def test_a_token_wakes_only_its_own_agent_and_organization(
    team: Team, rivals: Team, hook: tuple[Wake, definitions.Secrets]
) -> None:
    theirs, found = make(rivals.admin, rivals.agent.pk)
    send(found.token)
    event = WakeEvent.objects.get()
    assert (event.wake_id, event.organization_id, event.agent_id) == (
        theirs.pk,
        rivals.organization.pk,
        rivals.agent.pk,
    )


def test_no_log_line_tells_the_token(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    wake, found = make(team.admin, team.agent.pk, signed=True)
    caplog.set_level(logging.DEBUG)
    send(found.token)
    OUTSIDE.get(f"/hooks/{found.token}/")
    definitions.change_wake(team.admin, wake.pk, enabled=False)
    send(found.token)
    send("0" * 43)
    assert "/hooks/…" in caplog.text
    assert found.token not in caplog.text
    assert "0" * 43 not in caplog.text
