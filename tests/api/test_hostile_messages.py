"""Messages and bodies sent to break things: a clear refusal, nothing half-written, and what is allowed kept exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents.models import Run
from messaging.models import Conversation, Delivery, Message
from realtime.models import Event
from tests.api.conftest import as_token
from tests.api.test_requests import is_problem, start

REFUSED: dict[str, bytes] = {
    "empty": b'{"text": ""}',
    "only space": b'{"text": " \\n\\t\\u3000\\u200b"}',
    "100,001 characters": json.dumps({"text": "x" * 100_001}).encode(),
    "a megabyte": json.dumps({"text": "é" * 500_000}, ensure_ascii=False).encode(),
    "a NUL": b'{"text": "a\\u0000b"}',
    "the first half of a pair": b'{"text": "\\ud83d"}',
    "the second half of a pair": b'{"text": "a\\udc4db"}',
    "only control characters": b'{"text": "\\u0001\\u0007\\u001b"}',
    "a number": b'{"text": 5}',
    "null": b'{"text": null}',
    "a list": b'{"text": ["a"]}',
    "nothing": b"{}",
    "a surprise": b'{"text": "a", "more": 1}',
    "an answer to a number past bigint": b'{"text": "a", "reply_to_id": 9223372036854775808}',
    "an answer to nothing": b'{"text": "a", "reply_to_id": 99}',
    "an answer to less than nothing": b'{"text": "a", "reply_to_id": -1}',
    "an empty client id": b'{"text": "a", "client_id": ""}',
    "a long client id": json.dumps({"text": "a", "client_id": "x" * 101}).encode(),
    "a client id with a NUL": b'{"text": "a", "client_id": "\\u0000"}',
}
UNREADABLE: dict[str, bytes] = {
    "cut off": b'{"text": "a',
    "not JSON": b"text=a",
    "not UTF-8": b'{"text": "\xff"}',
    "a text twice": b'{"text": "a", "text": "b"}',
    "NaN": b'{"text": NaN}',
    "deep": b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a raw control character": b'{"text": "a\nb"}',
}
KEPT = [
    "שלום עולם",
    "مرحبا ‏بك‎ abc",
    "‮reversed‬",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🎉",
    "e\u0301 is not é",
    "  space around  ",
    "a\n\tb\n",
    "x" * 100_000,
    "<script>alert(1)</script> & 'quotes' \"\" \\ %s {0}",
    "\U0010ffff",
]


@pytest.fixture
def place(acme: Any) -> Any:
    """Return a function that sends raw bytes into a conversation of the member."""
    api = as_token(acme.member)
    path = f"/api/v1/conversations/{start(api, acme)}/messages"

    def send(data: bytes, *, kind: str = "application/json", query: str = "") -> Any:
        return api.client.post(path + query, data, content_type=kind, headers=api.headers)

    return send


def written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Message, Run, Event, Delivery))


def test_what_cannot_be_said_is_refused_and_nothing_is_written(place: Any) -> None:
    before = written()
    for what, data in REFUSED.items():
        assert is_problem(place(data), 422)["detail"], what
    for what, data in UNREADABLE.items():
        assert is_problem(place(data), 400)["detail"], what
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        is_problem(place(b'{"text": "a"}', kind=kind), 415)
    for query in ("?wait_s=-1", "?wait_s=301", "?wait_s=nan", "?wait_s=inf", "?wait_s=x", "?wait_s=%00"):
        is_problem(place(b'{"text": "a"}', query=query), 422)
    is_problem(place(b'{"text": "' + b"x" * 3_000_000 + b'"}'), 413)
    assert written() == before
    assert Conversation.objects.get().last_seq == 0


@pytest.mark.parametrize("escaped", [False, True])
def test_every_script_is_kept_exactly(place: Any, escaped: bool) -> None:
    for text in KEPT:
        sent = place(json.dumps({"text": text}, ensure_ascii=escaped).encode())
        assert sent.status_code == 201, sent.content
        assert sent.json()["message"]["text"] == text
        assert "<script>" not in sent.json()["message"]["html"]
    assert list(Message.objects.order_by("seq").values_list("text", flat=True)) == KEPT


def test_a_conversation_that_is_not_there_is_not_found(place: Any, acme: Any) -> None:
    api = as_token(acme.member)
    for number in (2**62, 0, -1, 2**63, 10**40, "x", "%00"):
        refused = api.post(f"/conversations/{number}/messages", {"text": "a"})
        assert refused.status_code in (404, 422), number
        is_problem(refused, refused.status_code)
    assert not Message.objects.exists()
