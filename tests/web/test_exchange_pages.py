"""Questions and files in the chat as people see them, and the page of the tools."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Breaker, Question, Run, Step, ToolCall
from messaging.attachments import services
from messaging.models import Conversation, Message
from messaging.services.messages import append_outbound
from tests.factories import Team
from tests.web.conftest import SignIn
from tests.web.test_chat_pages import worker
from tests.web.test_pages import private_chat

OPTIONS = [{"label": "Blue & calm", "description": "like the sea"}, {"label": "Red", "description": ""}]


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Any) -> None:
    settings.SPACEBOT_HOME = tmp_path


def ask(chat: Conversation, *, multi_select: bool = False) -> Question:
    message = append_outbound(
        chat.pk, run_id=None, author_name="Spacebot", text="Which?", key="k", metadata={"asks": True}
    )
    return Question.objects.create(
        organization=chat.organization, conversation=chat, run=worker(chat), message=message, key="k", text="Which **one**?",
        options=OPTIONS, multi_select=multi_select, expires_at=timezone.now() + timedelta(days=7),
    )  # fmt: skip


def test_a_question_shows_its_options_and_takes_one_answer_from_a_form(team: Team, sign_in: SignIn) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    question = ask(chat)
    assert f'href="/questions/{question.pk}/"' in client.get("/home/").content.decode()
    page = client.get(f"/chat/{chat.pk}/").content.decode()
    assert "Which <strong>one</strong>?" in page
    assert "Blue &amp; calm" in page
    assert 'name="number" value="2"' in page
    answered = client.post(f"/questions/{question.pk}/", {"number": "2"})
    assert answered.headers["Location"] == f"/chat/{chat.pk}/"
    again = client.post(f"/questions/{question.pk}/", {"number": "1"}, follow=True)
    assert "Somebody has answered this already." in again.content.decode()
    page = client.get(f"/chat/{chat.pk}/").content.decode()
    assert "Answered by" in page
    assert 'name="number"' not in page
    assert Message.objects.filter(reply_to=question.message).get().text == "Red"


def test_own_words_and_several_choices_go_by_the_form_too(team: Team, sign_in: SignIn) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    question = ask(chat, multi_select=True)
    refused = client.post(f"/questions/{question.pk}/", {}, follow=True).content.decode()
    assert "Choose an option." in refused
    client.post(f"/questions/{question.pk}/", {"own": "1", "text": "a bit <b>darker</b>", "number": "1"})
    question.refresh_from_db()
    assert question.answer == {"text": "a bit <b>darker</b>"}
    card = client.get(f"/questions/{question.pk}/?part=card").content.decode()
    assert "a bit &lt;b&gt;darker&lt;/b&gt;" in card
    assert "<html" not in card


def test_a_file_is_shown_with_its_size_and_saved_never_shown(team: Team, sign_in: SignIn) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    message = services.send_file(
        chat, run_id=1, author_name="Spacebot", name='x".html', text="", key="k",
        stream=io.BytesIO(b"<script>alert(1)</script>" * 100),
    )  # fmt: skip
    address = f"/chat/{chat.pk}/files/{message.attachments.get().pk}/"
    page = client.get(f"/chat/{chat.pk}/").content.decode()
    assert f'href="{address}"' in page
    assert "2.4\xa0KB" in page
    answer = client.get(address)
    assert answer.content == b"<script>alert(1)</script>" * 100
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert sign_in(team.owner).get(address).status_code == 404


def test_the_tools_page_tells_what_failed_lately_to_those_who_were_there(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team)
    run = worker(chat, state="succeeded", finished_at=timezone.now())
    fail(run, "read_file", "There is no file 'a' there.")
    old = fail(run, "write_file", "long ago")
    ToolCall.objects.filter(pk=old.pk).update(started_at=timezone.now() - timedelta(days=8))
    page = sign_in(team.member).get("/settings/tools/").content.decode()
    assert "1 failed, last" in page
    assert "There is no file &#x27;a&#x27; there." in page
    assert "long ago" not in page
    assert "There is no file" not in sign_in(team.owner).get("/settings/tools/").content.decode()


def test_the_tools_page_tells_administrators_what_is_cut_off(team: Team, sign_in: SignIn) -> None:
    Breaker.objects.create(
        organization=team.organization, agent=team.agent, tool="read_file", state="open", failures=3, trips=1,
        opened_at=timezone.now(), next_try_at=timezone.now(),
    )  # fmt: skip
    assert "Cut off for Spacebot" in sign_in(team.owner).get("/settings/tools/").content.decode()
    assert "Cut off" not in sign_in(team.member).get("/settings/tools/").content.decode()


def test_what_asks_people_is_not_offered_to_be_asked_about(team: Team, sign_in: SignIn) -> None:
    page = sign_in(team.owner).get("/settings/tools/").content.decode()
    row = page[page.index('id="policy-ask"') :]
    row = row[: row.index("</select>")]
    assert 'value="disable"' in row
    assert 'value="ask"' not in row


def fail(run: Run, name: str, result: str) -> ToolCall:
    now = timezone.now()
    number = run.steps.count()
    step = Step.objects.create(
        organization=run.organization, run=run, number=number, started_at=now, finished_at=now
    )
    return ToolCall.objects.create(
        organization=run.organization, run=run, step=step, position=0, call_id="1", name=name, state="failed",
        key=f"{run.pk}.{number}", result=result, started_at=now, finished_at=now,
    )  # fmt: skip
