from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from agents.models import Run, RunKind, RunState
from messaging.models import Conversation, Direction, Handling, Message, Participant
from messaging.services.conversations import start_conversation
from tests.factories import Team
from tests.web.conftest import SignIn
from tests.web.test_pages import private_chat


def say(conversation: Conversation, text: str, *, seq: int, outbound: bool = False) -> Message:
    Conversation.objects.filter(pk=conversation.pk).update(last_seq=seq, last_message_at=timezone.now())
    return Message.objects.create(
        organization=conversation.organization,
        conversation=conversation,
        seq=seq,
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        author_name="Spacebot" if outbound else "Mia",
        text=text,
        handling=Handling.NOT_NEEDED if outbound else Handling.ANSWERED,
    )


def worker(conversation: Conversation, **fields: Any) -> Run:
    return Run.objects.create(
        organization=conversation.organization,
        agent_id=conversation.agent_id,
        conversation=conversation,
        kind=RunKind.WORKER,
        due_at=timezone.now(),
        **fields,
    )


def test_it_shows_messages_rendered_and_without_scripts(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team)
    say(chat, "**bold** <script>alert(1)</script>", seq=1, outbound=True)
    page = sign_in(team.member).get(f"/chat/{chat.pk}/").content.decode()
    assert "<strong>bold</strong>" in page
    assert "<script>alert" not in page


def test_it_shows_the_newest_fifty_and_leads_to_older_ones(team: Team, sign_in: SignIn) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    for seq in range(1, 121):
        say(chat, f"line {seq}.", seq=seq)
    page = client.get(f"/chat/{chat.pk}/").content.decode()
    assert page.count('<li class="message" id=') == 50
    assert f"/chat/{chat.pk}/before/71/" in page
    older = client.get(f"/chat/{chat.pk}/before/71/").content.decode()
    assert "line 70." in older
    assert "line 71." not in older
    assert f"/chat/{chat.pk}/before/21/" in older
    assert "data-older" not in client.get(f"/chat/{chat.pk}/before/21/").content.decode()


@pytest.mark.parametrize("path", ["", "rename/", "before/1/", "invite/"])
def test_nobody_else_sees_a_private_conversation(
    path: str, team: Team, rivals: Team, sign_in: SignIn
) -> None:
    chat = private_chat(team, title="Mine alone")
    for actor in (team.other_member, team.owner, rivals.owner):
        assert sign_in(actor).get(f"/chat/{chat.pk}/{path}").status_code == 404
    assert "Mine alone" not in sign_in(team.owner).get("/chat/").content.decode()


def test_opening_a_conversation_marks_it_read(team: Team, sign_in: SignIn) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    say(chat, "Look.", seq=1, outbound=True)
    assert "data-unread" in client.get("/chat/list/").content.decode()
    client.get(f"/chat/{chat.pk}/")
    assert Participant.objects.get(conversation=chat).last_read_seq == 1
    assert "data-unread" not in client.get("/chat/list/").content.decode()


def test_a_new_private_conversation_begins_with_an_agent(team: Team, sign_in: SignIn) -> None:
    response = sign_in(team.member).post("/chat/new/", {"agent": team.agent.pk, "title": "Plans"})
    chat = Conversation.objects.get()
    assert response["Location"] == f"/chat/{chat.pk}/"
    assert (chat.kind, chat.title) == ("dm", "Plans")


def test_a_shared_conversation_has_the_chosen_people(team: Team, sign_in: SignIn) -> None:
    sign_in(team.member).post("/chat/new/", {"agent": team.agent.pk, "people": [team.owner.user.pk]})
    chat = Conversation.objects.get()
    assert chat.kind == "group"
    assert sign_in(team.owner).get(f"/chat/{chat.pk}/").status_code == 200


def test_another_organizations_agent_or_people_are_refused(team: Team, rivals: Team, sign_in: SignIn) -> None:
    client = sign_in(team.member)
    for form in (
        {"agent": rivals.agent.pk},
        {"agent": team.agent.pk, "people": [rivals.owner.user.pk]},
        {"agent": "x"},
    ):
        assert 'role="alert"' in client.post("/chat/new/", form).content.decode()
    assert not Conversation.objects.exists()


def test_renaming_archiving_and_bringing_back(team: Team, sign_in: SignIn) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    client.post(f"/chat/{chat.pk}/rename/", {"title": "Better name"})
    client.post(f"/chat/{chat.pk}/archive/")
    assert "Better name" not in client.get("/chat/").content.decode()
    assert "Better name" in client.get("/chat/?archived").content.decode()
    assert "This conversation is archived" in client.get(f"/chat/{chat.pk}/").content.decode()
    client.post(f"/chat/{chat.pk}/archive/")
    assert "Better name" in client.get("/chat/").content.decode()


def test_a_blank_title_is_refused_and_the_old_one_stays(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team, title="Kept")
    page = (
        sign_in(team.member).post(f"/chat/{chat.pk}/rename/", {"title": "  "}, follow=True).content.decode()
    )
    assert "cannot be blank" in page
    assert "Kept" in page


def test_people_can_be_added_to_a_shared_conversation_only(team: Team, sign_in: SignIn) -> None:
    people = {"people": [team.other_member.user.pk]}
    shared = start_conversation(team.member, agent_id=team.agent.pk, kind="group")
    private = private_chat(team)
    client = sign_in(team.member)
    for chat in (shared, shared, private):
        client.post(f"/chat/{chat.pk}/invite/", people)
    assert shared.participants.count() == 2
    assert private.participants.count() == 1


def test_cards_show_what_branches_and_workers_do(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team)
    worker(
        chat,
        title="Count the links",
        state=RunState.RUNNING,
        status_text="212 of 480",
        started_at=timezone.now(),
    )
    worker(
        chat,
        title="Export",
        state=RunState.FAILED,
        finished_at=timezone.now(),
        failure={"message": "No such file."},
    )
    page = sign_in(team.member).get(f"/chat/{chat.pk}/").content.decode()
    assert "212 of 480" in page
    assert "Cancel: Count the links" in page
    assert "No such file." in page


def test_search_finds_titles(team: Team, sign_in: SignIn) -> None:
    private_chat(team, title="Spring release")
    private_chat(team, title="Lunch")
    page = sign_in(team.member).get("/chat/list/?q=spring").content.decode()
    assert "Spring release" in page
    assert "Lunch" not in page


def test_the_chat_page_asks_the_database_little(
    team: Team, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    for seq in range(1, 40):
        say(chat, f"line {seq}", seq=seq)
    for number in range(5):
        worker(chat, title=f"Worker {number}", state=RunState.RUNNING)
        private_chat(team)
    client.get(f"/chat/{chat.pk}/")
    with django_assert_max_num_queries(12):
        client.get(f"/chat/{chat.pk}/")
