"""Files and questions over HTTP."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Question, Run
from messaging.attachments import services
from messaging.models import Attachment
from messaging.services.conversations import start_conversation
from messaging.services.messages import append_outbound
from tests.api.conftest import Upload, as_token
from tests.factories import Team


@pytest.fixture
def chat(acme: Team, settings: Any, tmp_path: Any) -> Any:
    settings.SPACEBOT_HOME = tmp_path
    return start_conversation(acme.member, agent_id=acme.agent.pk, kind="dm")


def test_a_file_is_uploaded_sent_listed_and_saved(acme: Team, chat: Any) -> None:
    api, files = as_token(acme.member), f"/conversations/{chat.pk}/attachments"
    stored = api("POST", files, Upload("../a b.txt", b"hello")).json()
    assert stored == {
        "id": stored["id"], "name": "a b.txt", "media_type": "text/plain", "size_bytes": 5,
    }  # fmt: skip
    assert api.get(files).json()["items"] == []
    sent = api.post(
        f"/conversations/{chat.pk}/messages", {"text": "", "attachment_ids": [stored["id"]]}
    ).json()["message"]
    assert (sent["text"], sent["attachments"]) == ("Sent a b.txt", [stored])
    assert api.get(files).json()["items"] == [stored]
    saved = api.get(f"{files}/{stored['id']}")
    assert saved.content == b"hello"
    assert saved["Content-Disposition"] == 'attachment; filename="a b.txt"'
    assert api("DELETE", f"{files}/{stored['id']}").status_code == 409
    again = api.post(f"/conversations/{chat.pk}/messages", {"text": "x", "attachment_ids": [stored["id"]]})
    assert (again.status_code, "sent already" in again.json()["detail"]) == (422, True)


def test_an_empty_a_large_and_a_missing_file_are_refused(acme: Team, chat: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("messaging.attachments.store.MAX_BYTES", 4)
    api, files = as_token(acme.member), f"/conversations/{chat.pk}/attachments"
    for body, words in ((Upload("a", b""), "empty"), (Upload("a", b"12345"), "25 MB"), ({}, "")):
        refused = api("POST", files, body)
        assert (refused.status_code, words in refused.json()["detail"]) == (422, True)
    assert not Attachment.objects.exists()


def test_an_unsent_file_can_be_taken_away_by_who_uploaded_it(acme: Team, chat: Any) -> None:
    api, files = as_token(acme.member), f"/conversations/{chat.pk}/attachments"
    stored = api("POST", files, Upload("a", b"x")).json()["id"]
    assert api("DELETE", f"{files}/{stored}").status_code == 204
    assert api("DELETE", f"{files}/{stored}").status_code == 404


def test_a_question_is_listed_and_answered_once(acme: Team, chat: Any) -> None:
    message = append_outbound(chat.pk, run_id=None, author_name="Bot", text="Which?", key="k")
    run = Run.objects.create(
        organization=acme.organization, agent=acme.agent, conversation=chat, kind="channel", state="succeeded",
        due_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    question = Question.objects.create(
        organization=acme.organization, conversation=chat, run=run, message=message, key="k", text="Which?",
        options=[{"label": "a", "description": "x"}, {"label": "b", "description": ""}],
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    api = as_token(acme.member)
    (listed,) = api.get("/questions?state=open").json()["items"]
    assert listed["options"][0] == {"number": 1, "label": "a", "description": "x"}
    assert api.post(f"/questions/{question.pk}/answer", {"numbers": [3]}).status_code == 422
    answered = api.post(f"/questions/{question.pk}/answer", {"numbers": [2]}).json()
    assert (answered["state"], answered["chosen"], answered["answered_by_name"]) == (
        "answered",
        [2],
        "Mia of acme",
    )
    assert api.post(f"/questions/{question.pk}/answer", {"text": "a"}).status_code == 409
    assert api.get("/questions?state=open").json()["items"] == []


def test_a_download_finds_nothing_where_the_content_was_lost(acme: Team, chat: Any) -> None:
    message = services.send_file(
        chat, run_id=1, author_name="x", name="x", stream=io.BytesIO(b"x"), text="", key="k"
    )
    attachment = message.attachments.get()
    for path in services.store.folder().rglob("*"):
        if path.is_file():
            path.unlink()
    lost = as_token(acme.member).get(f"/conversations/{chat.pk}/attachments/{attachment.pk}")
    assert lost.status_code == 404
