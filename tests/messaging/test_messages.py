from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.errors import InvalidInput, NotFound
from messaging.models import Conversation, Delivery, DeliveryState, Handling, Message
from messaging.services import egress
from messaging.services.conversations import archive, start_conversation
from messaging.services.messages import append_inbound, append_outbound, mark_handled
from realtime.models import Event
from realtime.services import unit_of_work


def say(conversation: Conversation, text: str = "hello", **changes: Any) -> tuple[Message, bool]:
    return append_inbound(conversation.pk, **{"person": None, "author_name": "Mia", "text": text, **changes})


def reply(conversation: Conversation, text: str = "hi", **changes: Any) -> Message:
    return append_outbound(
        conversation.pk, **{"run_id": 7, "author_name": "Spacebot", "text": text, "key": "k1", **changes}
    )


def test_a_message_gets_the_next_place_and_an_event(conversation: Conversation) -> None:
    first, created = say(conversation)
    second, _ = say(conversation, "again")
    assert created
    assert (first.seq, second.seq) == (1, 2)
    stored = Message.objects.get(pk=first.pk)
    assert (stored.text, stored.handling, stored.created_at) == (
        "hello",
        Handling.UNANSWERED,
        first.created_at,
    )
    event = Event.objects.filter(kind="message.created").earliest("number")
    assert event.payload["message"]["id"] == first.pk
    assert event.payload["message"]["html"] == "<p>hello</p>\n"
    assert event.conversation_id == conversation.pk


def test_the_same_external_id_twice_stores_once_and_uses_no_number(conversation: Conversation) -> None:
    first, _ = say(conversation, external_id="x1")
    again, created = say(conversation, "other text", external_id="x1")
    third, _ = say(conversation)
    assert not created
    assert again.pk == first.pk
    assert third.seq == 2
    assert Event.objects.filter(kind="message.created").count() == 2


def test_the_same_external_id_in_another_conversation_is_another_message(
    team: Any, conversation: Conversation
) -> None:
    other = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    first, _ = say(conversation, external_id="x1")
    second, created = say(other, external_id="x1")
    assert created
    assert first.pk != second.pk


def test_a_message_costs_one_statement_beside_its_event(
    conversation: Conversation, django_assert_num_queries: Any, caches_kept: None
) -> None:
    say(conversation)
    egress.shield_of(conversation.pk)
    with unit_of_work():
        with django_assert_num_queries(1):
            say(conversation, external_id="x2")
        with django_assert_num_queries(1):
            reply(conversation)


def test_the_first_message_titles_the_conversation(conversation: Conversation) -> None:
    say(conversation, "# How do we deploy on Fridays? I would like to know it for the next time, please.")
    conversation.refresh_from_db()
    assert conversation.title == "How do we deploy on Fridays? I would like to know it for…"
    say(conversation, "other")
    title = conversation.title
    conversation.refresh_from_db()
    assert conversation.title == title


def test_a_message_brings_an_archived_conversation_back(team: Any, conversation: Conversation) -> None:
    say(conversation)
    archive(team.member, conversation.pk)
    Event.objects.all().delete()
    say(conversation)
    assert [e.kind for e in Event.objects.order_by("number")] == ["message.created", "conversation.changed"]
    conversation.refresh_from_db()
    assert conversation.archived_at is None


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200e", "a\x00b", "x" * 100_001, "\x07"])
def test_text_that_cannot_be_a_message_is_refused_and_nothing_is_stored(
    conversation: Conversation, text: str
) -> None:
    with pytest.raises(InvalidInput):
        say(conversation, text)
    conversation.refresh_from_db()
    assert (conversation.last_seq, Message.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\x07b\r\nc\td", "ab\nc\td"),
        ("שלום \u202bworld\u202c 👩‍👩‍👧", "שלום \u202bworld\u202c 👩‍👩‍👧"),
        ("a\ud800b", "ab"),
    ],
)
def test_control_characters_go_and_scripts_and_emoji_stay(
    conversation: Conversation, given: str, kept: str
) -> None:
    assert Message.objects.get(pk=say(conversation, given)[0].pk).text == kept


def test_an_unknown_conversation_is_not_found(team: Any) -> None:
    with pytest.raises(NotFound), unit_of_work():
        append_inbound(999_999, person=None, author_name="Mia", text="hi")
    with pytest.raises(NotFound), unit_of_work():
        append_outbound(999_999, run_id=1, author_name="Bot", text="hi", key="k")


def test_a_reply_to_a_message_of_another_conversation_is_refused(
    team: Any, conversation: Conversation
) -> None:
    other = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    foreign, _ = say(other)
    with pytest.raises(InvalidInput), unit_of_work():
        say(conversation, reply_to_id=foreign.pk)
    assert not conversation.messages.exists()


def test_a_web_chat_reply_is_delivered_when_it_is_stored(conversation: Conversation) -> None:
    message = reply(conversation)
    delivery = Delivery.objects.get(message=message)
    assert (delivery.state, delivery.platform_id, delivery.key) == (
        DeliveryState.DELIVERED,
        str(message.pk),
        "k1",
    )
    assert delivery.finished_at is not None


def test_the_same_key_twice_returns_the_first_reply(conversation: Conversation) -> None:
    first = reply(conversation)
    again = reply(conversation, "something else")
    assert again.pk == first.pk
    assert again.text == "hi"
    assert (Message.objects.count(), Delivery.objects.count()) == (1, 1)


def test_a_reply_of_a_model_loses_characters_that_cannot_be_stored(conversation: Conversation) -> None:
    assert reply(conversation, "a\x00b\ud800").text == "ab"


def test_what_became_of_a_message_is_written_once(conversation: Conversation) -> None:
    message, _ = say(conversation)
    assert mark_handled([message.pk], handling=Handling.ANSWERED, run_id=5) == 1
    assert mark_handled([message.pk], handling=Handling.SKIPPED, run_id=5, reason="late") == 0
    message.refresh_from_db()
    assert message.handling == Handling.ANSWERED
    kinds = [e.payload["handling"] for e in Event.objects.filter(kind="message.handled").order_by("number")]
    assert kinds == ["answered"]


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_leave_no_gap_and_no_double(team: Any, conversation: Conversation) -> None:
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(10):
                say(conversation, external_id=f"shared-{turn}")
                reply(conversation, key=f"key-{turn}", run_id=number)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(conversation.messages.order_by("seq").values_list("seq", flat=True)) == list(range(1, 21))
    conversation.refresh_from_db()
    assert conversation.last_seq == 20
    assert Delivery.objects.count() == 10


def test_an_ignored_message_neither_titles_nor_brings_back(team: Any, conversation: Conversation) -> None:
    archive(team.member, conversation.pk)
    say(conversation, handling=Handling.IGNORED, reason="no mention")
    conversation.refresh_from_db()
    assert conversation.archived_at is not None
    assert (conversation.title, conversation.last_seq) == ("", 1)
