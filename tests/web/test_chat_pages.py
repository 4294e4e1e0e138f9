from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from agents.models import Checkpoint, Run, RunKind, RunState
from llm.models import ModelEntry, Provider
from messaging.models import Conversation, Direction, Handling, Message, Participant, Reaction
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
        due_at=timezone.now(),
        **{"kind": RunKind.WORKER, **fields},
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


@pytest.mark.parametrize("path", ["", "rename/", "before/1/", "people/", "model/", "quote/1/"])
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


def test_summaries_of_messages_never_stand_as_cards(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team)
    worker(chat, title="Messages 1 to 20")
    Run.objects.update(kind=RunKind.COMPACTION)
    client = sign_in(team.member)
    assert "run-card" not in client.get(f"/chat/{chat.pk}/").content.decode().split("<template")[0]
    assert "Summary · Messages 1 to 20" in client.get("/runs/?kind=compaction").content.decode()
    page = client.get(f"/runs/{Run.objects.get().pk}/").content.decode()
    assert "Summary: messages 1 to 20" in page
    assert "Messages 1 to 20" not in client.get("/home/").content.decode()


def test_a_checkpoint_stands_behind_its_last_message(team: Team, sign_in: SignIn) -> None:
    chat = private_chat(team)
    for seq in range(1, 5):
        say(chat, f"line {seq}.", seq=seq)
    fields = {"organization": team.organization, "conversation": chat, "summary": "Lines <b>were</b> said."}
    Checkpoint.objects.create(from_seq=1, to_seq=2, title="The first lines", **fields)
    Checkpoint.objects.create(from_seq=1, to_seq=2, title="Higher", level=1, **fields)
    page = sign_in(team.member).get(f"/chat/{chat.pk}/").content.decode()
    order = [page.index(text) for text in ("line 2.", "The first lines", "&lt;b&gt;were", "line 3.")]
    assert order == sorted(order)
    assert "messages 1 to 2." in page
    assert "Higher" not in page


def test_a_reply_quotes_in_one_line_without_markup(team: Team, sign_in: SignIn) -> None:
    chat, client = private_chat(team), sign_in(team.member)
    said = say(chat, "**Two** things:\n\n1. one\n2. two & three", seq=1, outbound=True)
    answer = say(chat, "Which first?", seq=2)
    Message.objects.filter(pk=answer.pk).update(reply_to=said)
    page = client.get(f"/chat/{chat.pk}/").content.decode()
    assert f'data-quote="{said.pk}"' in page
    assert "Two things: one two &amp; three</span>" in page
    assert "Two things" in client.get(f"/chat/{chat.pk}/quote/{said.pk}/").content.decode()


def test_a_message_of_another_conversation_is_not_quoted(team: Team, rivals: Team, sign_in: SignIn) -> None:
    chat, others = private_chat(team), private_chat(rivals)
    foreign = say(others, "Theirs", seq=1)
    mine = say(private_chat(team), "Mine, elsewhere", seq=1)
    client = sign_in(team.member)
    for message in (foreign, mine):
        assert client.get(f"/chat/{chat.pk}/quote/{message.pk}/").status_code == 404


def test_reactions_are_counted_by_emoji(team: Team, sign_in: SignIn) -> None:
    chat = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", user_ids=[team.owner.user.pk]
    )
    message = say(chat, "Done.", seq=1, outbound=True)
    for each in chat.participants.all():
        Reaction.objects.create(
            organization=team.organization, message=message, person=each.person, emoji="👍"
        )
    Reaction.objects.create(organization=team.organization, message=message, run_id=1, emoji="👀")
    page = sign_in(team.member).get(f"/chat/{chat.pk}/").content.decode().split("<template")[0]
    assert page.count('class="reaction"') == 2
    assert 'class="reaction-count">2<' in page
    assert page.count('aria-pressed="true"') == 1
    assert "the agent" in page


def test_people_come_and_go_in_a_shared_conversation_only(team: Team, rivals: Team, sign_in: SignIn) -> None:
    shared = start_conversation(team.member, agent_id=team.agent.pk, kind="group")
    private = private_chat(team)
    client, guest = sign_in(team.member), sign_in(team.other_member)
    adding = {"act": "add", "people": [team.other_member.user.pk]}
    for chat in (shared, shared, private):
        client.post(f"/chat/{chat.pk}/people/", adding)
    assert (shared.participants.count(), private.participants.count()) == (2, 1)
    assert "Take out" in client.get(f"/chat/{shared.pk}/people/").content.decode()
    assert "Take out" not in guest.get(f"/chat/{shared.pk}/people/").content.decode()
    taking = {"act": "remove", "user": team.member.user.pk}
    assert "Only who began" in guest.post(f"/chat/{shared.pk}/people/", taking, follow=True).content.decode()
    sign_in(rivals.owner).post(f"/chat/{shared.pk}/people/", taking)
    assert shared.participants.count() == 2
    client.post(f"/chat/{shared.pk}/people/", {"act": "remove", "user": team.other_member.user.pk})
    assert guest.get(f"/chat/{shared.pk}/").status_code == 404


def test_who_leaves_lands_in_the_list(team: Team, sign_in: SignIn) -> None:
    chat = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", user_ids=[team.owner.user.pk]
    )
    form = {"act": "remove", "user": team.owner.user.pk}
    assert sign_in(team.owner).post(f"/chat/{chat.pk}/people/", form)["Location"] == "/chat/"


def test_a_conversation_says_which_model_of_its_own_answers(team: Team, sign_in: SignIn) -> None:
    provider = Provider.objects.create(organization=team.organization, name="House", kind="openai_chat")
    entry = ModelEntry.objects.create(organization=team.organization, provider=provider, name="large-one")
    chat, client = private_chat(team), sign_in(team.member)
    client.post(f"/chat/{chat.pk}/model/", {"model": entry.pk})
    assert "large-one" in client.get(f"/chat/{chat.pk}/").content.decode()
    entry.delete()
    assert client.get(f"/chat/{chat.pk}/").status_code == 200
    assert (
        "no such model"
        in client.post(f"/chat/{chat.pk}/model/", {"model": entry.pk or 9}, follow=True).content.decode()
    )


def test_the_list_goes_on_behind_a_hundred(team: Team, sign_in: SignIn) -> None:
    for number in range(105):
        private_chat(team, title=f"chat number {number}.")
    client = sign_in(team.member)
    first = client.get("/chat/list/").content.decode()
    assert first.count("conversation-title") == 100
    assert 'data-more-conversations="2"' in first
    whole = client.get("/chat/list/?pages=2").content.decode()
    assert whole.count("conversation-title") == 105
    assert "data-more-conversations" not in whole
