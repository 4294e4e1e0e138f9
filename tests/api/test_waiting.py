"""Sending over a real server, and waiting for the answer there."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest
from django.db import connections
from django.utils import timezone

from agents.models import Run, RunState
from agents.payloads import run_payload
from messaging.models import Conversation, Handling, Message
from messaging.payloads import message_payload
from messaging.services.conversations import start_conversation
from realtime.services import NewEvent, record, unit_of_work
from tests.realtime.conftest import Site, site, token_of

__all__ = ["site"]


def answer(conversation_id: int, *, text: str) -> None:
    """Do what a worker would: answer, and end the run."""
    try:
        until = time.monotonic() + 60
        while not (run := Run.objects.filter(conversation_id=conversation_id).first()):
            assert time.monotonic() < until, "nobody asked"
            time.sleep(0.01)
        conversation = Conversation.objects.get(pk=conversation_id)
        organization_id = conversation.organization_id
        with unit_of_work():
            Message.objects.filter(conversation_id=conversation_id).update(handling=Handling.ANSWERED)
            if text:
                said = Message.objects.create(
                    organization_id=organization_id,
                    conversation_id=conversation_id,
                    seq=2,
                    direction="out",
                    author_name="Spacebot",
                    text=text,
                    handling=Handling.NOT_NEEDED,
                    run_id=run.pk,
                )
                told = {"message": message_payload(said)}
                record(organization_id, NewEvent("message.created", told, conversation_id))
            run.state, run.finished_at = RunState.SUCCEEDED, timezone.now()
            run.save()
            record(organization_id, NewEvent("run.changed", {"run": run_payload(run)}, conversation_id))
    finally:
        connections.close_all()


@pytest.fixture
def client(site: Site, acme: Any) -> Any:
    token = token_of(acme.member, "conversations:read", "conversations:write", "events:read")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://{site.address}/api/v1", headers=headers, timeout=150) as opened:
        yield opened


def start(team: Any) -> int:
    conversation = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    return int(conversation.pk)


def test_waiting_ends_with_the_reply_as_soon_as_it_is_there(client: Any, acme: Any) -> None:
    number = start(acme)
    worker = threading.Thread(target=answer, args=(number,), kwargs={"text": "hello yourself"})
    worker.start()
    found = client.post(f"/conversations/{number}/messages?wait_s=120", json={"text": "hello"})
    worker.join()
    assert found.status_code == 201
    body = found.json()
    assert body["settled"] is True
    assert [reply["text"] for reply in body["replies"]] == ["hello yourself"]
    assert body["message"]["handling"] == "answered"
    assert found.elapsed.total_seconds() < 60


def test_waiting_in_vain_ends_in_time_and_says_so(client: Any, acme: Any) -> None:
    found = client.post(f"/conversations/{start(acme)}/messages?wait_s=0.3", json={"text": "hello"}).json()
    assert found["settled"] is False
    assert found["replies"] == []
    assert found["reason"]


def test_a_settled_conversation_without_a_reply_says_why(client: Any, acme: Any) -> None:
    number = start(acme)
    worker = threading.Thread(target=answer, args=(number,), kwargs={"text": ""})
    worker.start()
    found = client.post(f"/conversations/{number}/messages?wait_s=120", json={"text": "hello"}).json()
    worker.join()
    assert found["settled"] is True
    assert found["reason"] == "The agent had nothing to say."


def test_the_event_stream_replays_from_the_last_event_id(client: Any, acme: Any) -> None:
    record(acme.organization.pk, NewEvent("one", {}), NewEvent("two", {}))
    with client.stream("GET", "/events", headers={"Last-Event-ID": "1"}) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        lines = response.iter_lines()
        heard = [next(lines) for _ in range(5)]
        assert heard[2] == "id: 2"
        assert '"kind": "two"' in heard[3]


def test_sending_costs_few_queries(acme: Any, caches_kept: None) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from agents.services.conversations import send_message

    number = start(acme)
    send_message(acme.member, number, text="first")
    with CaptureQueriesContext(connection) as queries:
        send_message(acme.member, number, text="second")
    statements = [query["sql"] for query in queries]
    assert len(statements) <= 14, "\n".join(statements)
