from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from memory.listeners import Listeners
from memory.models import IndexedMessage, MessagePosting, Section, SectionPosting
from memory.recall import recall_transcript
from memory.services import transcripts
from memory.services.embedding import embed_pending
from messaging.models import Conversation, Handling, Message
from messaging.services.conversations import start_conversation

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def room(team: Any) -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm")


def say(
    room: Conversation, *texts: str, at: datetime = START, person: Any = None, handling: str = "answered"
) -> None:
    first = (
        Message.objects.filter(conversation=room).order_by("-seq").values_list("seq", flat=True).first() or 0
    ) + 1
    for place, text in enumerate(texts):
        message = Message.objects.create(
            organization=room.organization, conversation=room, seq=first + place, direction="in", text=text,
            person=person, author_name=person.display_name if person else "Mia", handling=handling,
        )  # fmt: skip
        Message.objects.filter(pk=message.pk).update(created_at=at + timedelta(minutes=place))
    Conversation.objects.filter(pk=room.pk).update(
        last_seq=first + len(texts) - 1, last_message_at=at + timedelta(minutes=len(texts))
    )


def found(room: Conversation, query: str, mia: Any, **more: Any) -> list[str]:
    said = recall_transcript(
        query,
        organization_id=room.organization_id,
        agent_id=room.agent_id,
        listeners=Listeners.of([mia.pk]),
        **more,
    )
    return [each.text for each in said]


def rows(model: Any) -> list[Any]:
    return sorted(model.objects.values_list(), key=repr)


def test_what_was_said_is_found_without_anyone_having_saved_it(room: Conversation, mia: Any) -> None:
    say(room, "Good morning", "The boiler was repaired by Petersen", "Fine")
    transcripts.index_conversation(room.pk)
    assert found(room, "who repaired the boiler?", mia)[0] == "The boiler was repaired by Petersen"


def test_an_answer_is_found_by_the_words_of_its_question(room: Conversation, mia: Any) -> None:
    say(room, "What did the boiler cost?", "Four hundred and twenty", at=START)
    say(
        room,
        *(f"Something else entirely number {number}" for number in range(20)),
        at=START + timedelta(days=3),
    )
    transcripts.index_conversation(room.pk)
    assert "Four hundred and twenty" in found(room, "boiler cost", mia, limit=2)


def test_indexing_again_changes_nothing(room: Conversation) -> None:
    say(room, "One two", "Three four", "Five six")
    assert transcripts.index_conversation(room.pk) == 3
    before = rows(MessagePosting), rows(SectionPosting), rows(Section)
    assert transcripts.index_conversation(room.pk) == 0
    assert (rows(MessagePosting), rows(SectionPosting), rows(Section)) == before


def test_indexing_bit_by_bit_gives_what_indexing_at_once_gives(room: Conversation) -> None:
    texts = [f"alpha{number} beta gamma{number % 3}" for number in range(60)]
    for place, text in enumerate(texts):
        say(room, text, at=START + timedelta(minutes=place))
        transcripts.index_conversation(room.pk)
    bit_by_bit = sorted(MessagePosting.objects.values_list("message_id", "term", "alone", "window"))
    shape = sorted(Section.objects.values_list("first_seq", "last_seq"))
    words = sorted(SectionPosting.objects.values_list("section__first_seq", "term", "weight"))
    for model in (MessagePosting, SectionPosting, IndexedMessage, Section):
        model.objects.all().delete()
    room.transcript_state.delete()
    transcripts.index_conversation(room.pk)
    assert sorted(MessagePosting.objects.values_list("message_id", "term", "alone", "window")) == bit_by_bit
    assert sorted(Section.objects.values_list("first_seq", "last_seq")) == shape
    assert sorted(SectionPosting.objects.values_list("section__first_seq", "term", "weight")) == words


def test_a_long_pause_begins_a_new_stretch(room: Conversation) -> None:
    say(room, "Before", at=START)
    say(room, "After", at=START + timedelta(hours=5))
    transcripts.index_conversation(room.pk)
    assert Section.objects.count() == 2
    assert not MessagePosting.objects.filter(message__message__text="After", term="before").exists()


def test_what_the_agent_was_not_given_is_not_indexed(room: Conversation, mia: Any) -> None:
    say(room, "The boiler exploded", handling=Handling.IGNORED)
    assert transcripts.index_conversation(room.pk) == 1
    assert found(room, "boiler", mia) == []


def test_a_time_range_and_a_named_month_narrow_the_search(room: Conversation, mia: Any) -> None:
    say(room, "The boiler hums in March", at=START)
    say(room, "The boiler hums in May", at=START.replace(month=5))
    transcripts.index_conversation(room.pk)
    assert found(room, "boiler", mia, since=START.replace(month=4)) == ["The boiler hums in May"]
    assert found(room, "boiler", mia, until=START.replace(month=4)) == ["The boiler hums in March"]
    assert found(room, "what did we say of the boiler in March 2026?", mia)[0] == "The boiler hums in March"


def test_who_is_named_is_preferred_as_the_one_who_said_it(room: Conversation, mia: Any, otto: Any) -> None:
    say(room, "I like the boiler", person=mia)
    say(room, "I like the boiler", person=otto, at=START + timedelta(days=1))
    transcripts.index_conversation(room.pk)
    said = recall_transcript(
        "does Otto like the boiler", organization_id=room.organization_id, agent_id=room.agent_id,
        listeners=Listeners.of([mia.pk]),
    )  # fmt: skip
    assert said[0].person_id == otto.pk


def test_only_quiet_conversations_with_something_new_are_behind(room: Conversation) -> None:
    assert transcripts.list_behind() == []
    say(room, "Just now", at=timezone.now())
    assert transcripts.list_behind() == []
    say(room, "Long ago", at=START)
    assert transcripts.list_behind() == [room.pk]
    transcripts.index_conversation(room.pk)
    assert transcripts.list_behind() == []


def test_without_vectors_words_do_and_with_them_more_is_found(room: Conversation, mia: Any) -> None:
    say(room, "The boiler was repaired", "All good")
    transcripts.index_conversation(room.pk)
    assert found(room, "boiler", mia)[0] == "The boiler was repaired"
    assert embed_pending() == 2
    assert embed_pending() == 0
    assert found(room, "boiler", mia)[0] == "The boiler was repaired"


@pytest.mark.parametrize("query", ["", "the", "'); --", "\x00%s", "日本語"])
def test_no_question_breaks_it(room: Conversation, mia: Any, query: str) -> None:
    say(room, "The boiler was repaired")
    transcripts.index_conversation(room.pk)
    assert isinstance(found(room, query, mia), list)
