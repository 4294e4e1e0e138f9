from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import InvalidInput
from memory import types
from memory.listeners import Listeners
from memory.models import Memory, MemoryType
from memory.recall.memories import Weights
from memory.services.frequencies import refresh_frequencies
from memory.services.postings import K1, USUAL_WORDS, B
from memory.services.upkeep import mark_used
from memory.types import Provenance
from messaging.services.conversations import start_conversation

WORDS_ONLY = Weights(vector=0, graph=0, person=0, time=0, when=0, importance=0, recency=0)


def test_recall_is_one_statement(known: Any, mia: Any) -> None:
    known.know("We deploy on Thursdays")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert known.recall("deploy", mia)
    assert len(queries) == 1


def bm25(texts: list[list[str]], query: list[str]) -> list[float]:
    """Score as the textbook does, with the usual length of a text as a constant."""
    scores = []
    for text in texts:
        score = 0.0
        for word in query:
            times, texts_with = text.count(word), sum(word in other for other in texts)
            if times:
                rarity = math.log(1 + (len(texts) - texts_with + 0.5) / (texts_with + 0.5))
                score += rarity * times * (K1 + 1) / (times + K1 * (1 - B + B * len(text) / USUAL_WORDS))
        scores.append(score)
    return scores


def test_the_words_are_weighed_exactly_as_bm25_does(known: Any, mia: Any) -> None:
    texts = ["red apple", "red red apple pie", "green pear", "red tram blue tram green tram", "blue pear pie"]
    for text in texts:
        known.know(text, even_if_similar=True)
    expected = bm25([text.replace("apple", "appl").split() for text in texts], ["red", "tram", "pie"])
    found = known.recall("red trams and pies", mia, weights=WORDS_ONLY)
    assert {each.content: pytest.approx(each.text_score, abs=1e-5) for each in found} == {
        text: score for text, score in zip(texts, expected, strict=True) if score
    }
    assert [each.content for each in found] == [
        text for score, text in sorted(zip(expected, texts, strict=True), reverse=True) if score
    ]


def test_frequent_words_counted_ahead_weigh_the_same(known: Any, mia: Any, monkeypatch: Any) -> None:
    for number in range(12):
        known.know(f"red thing number {number} {'blue' if number % 3 else 'green'}", even_if_similar=True)
    live = known.recall("green thing", mia, weights=WORDS_ONLY)
    monkeypatch.setattr("memory.services.frequencies.MINIMUM", 5)
    monkeypatch.setattr("memory.services.frequencies.COMMON", 3)
    assert refresh_frequencies() == 1
    assert refresh_frequencies() == 0
    assert known.recall("green thing", mia, weights=WORDS_ONLY) == live


def test_words_are_compared_by_their_stems(known: Any, mia: Any) -> None:
    memory = known.know("Mia was running marathons")
    assert [each.id for each in known.recall("marathon runs", mia, weights=WORDS_ONLY)] == [memory.pk]


def test_a_neighbour_in_the_graph_comes_along(known: Any, mia: Any) -> None:
    cause = known.know("Zebra ate cable")
    known.know("The server outage lasted two hours", related=[(cause.pk, "caused_by", 0.9)])
    for number in range(30):
        known.know(f"Unrelated thing {number} {number * 7}", even_if_similar=True)
    found = known.recall("why was there a server outage", mia, limit=2)
    assert [each.content for each in found] == ["The server outage lasted two hours", "Zebra ate cable"]
    assert found[1].graph_score > 0


def test_the_graph_leads_to_nobodys_secrets(known: Any, mia: Any, otto: Any) -> None:
    secret = known.know("Zebra ate cable", heard_by=types.person(otto.pk))
    known.know("The server outage lasted two hours", related=[(secret.pk, "caused_by", 0.9)])
    assert len(known.recall("server outage", mia)) == 1
    assert len(known.recall("server outage", otto)) == 2


def test_a_time_named_in_the_question_prefers_what_is_of_that_time(known: Any, mia: Any) -> None:
    for month in (1, 3, 5):
        known.know(
            f"The team met in room {month}",
            valid_from=timezone.now().replace(2025, month, 10),
            even_if_similar=True,
        )
    assert known.recall("where did the team meet in March 2025", mia)[0].content == "The team met in room 3"


def test_who_is_named_counts(known: Any, mia: Any, otto: Any) -> None:
    for person in (mia, otto):
        known.know(
            f"The favourite colour is {'red' if person == mia else 'tan'}", even_if_similar=True,
            provenance=Provenance(person_id=person.pk),
        )  # fmt: skip
    assert known.recall("favourite colour of Otto", mia)[0].person_id == otto.pk


def test_filters_limit_before_ranking(known: Any, mia: Any, otto: Any) -> None:
    for number in range(80):
        known.know(f"tea tea tea {number}", even_if_similar=True)
    goal = known.know("Drink less tea", type="goal", about_id=otto.pk)
    old = known.know("Tea came in chests", valid_from=timezone.now() - timedelta(days=900))
    assert [each.id for each in known.recall("tea", mia, types=["goal"])] == [goal.pk]
    assert [each.id for each in known.recall("tea", mia, person_id=otto.pk)] == [goal.pk]
    long_ago = timezone.now() - timedelta(days=800)
    assert [each.id for each in known.recall("tea", mia, until=long_ago)] == [old.pk]
    assert old.pk not in {each.id for each in known.recall("tea", mia, since=long_ago, limit=50)}


def test_what_was_learned_in_a_conversation_can_be_asked_for(known: Any, mia: Any) -> None:
    room = start_conversation(known.team.member, agent_id=known.team.agent.pk, kind="dm")
    here = known.know("Tea at four", provenance=Provenance(conversation_id=room.pk))
    known.know("Tea at five", even_if_similar=True)
    assert [each.id for each in known.recall("tea", mia, conversation_id=room.pk)] == [here.pk]


def test_modes_list_by_time_by_importance_and_by_type(known: Any, mia: Any) -> None:
    known.know("Small thing", importance=0.1)
    known.know("Large thing", importance=1.0)
    goal = known.know("Be kind", type="goal")
    assert [each.content for each in known.recall("", mia, mode="recent")] == [
        "Be kind",
        "Large thing",
        "Small thing",
    ]
    by_weight = known.recall("", mia, mode="important")
    assert [each.content for each in by_weight] == ["Large thing", "Be kind", "Small thing"]
    assert [each.id for each in known.recall("", mia, mode="typed", types=[MemoryType.GOAL])] == [goal.pk]
    with pytest.raises(InvalidInput):
        known.recall("", mia, mode="typed")


def test_recall_writes_nothing_and_use_is_counted_apart(known: Any, mia: Any, rivals: Any) -> None:
    memory = known.know("We deploy on Thursdays")
    known.recall("deploy", mia)
    memory.refresh_from_db()
    assert memory.access_count == 0
    assert mark_used(known.team.organization.pk, [memory.pk]) == 1
    assert mark_used(rivals.organization.pk, [memory.pk]) == 0
    memory.refresh_from_db()
    assert memory.access_count == 1


@pytest.mark.parametrize(
    "query",
    ["", "   ", "the of and", "'); DROP TABLE memory_memory; --", "\x00%s%(x)s", "日本語", "a" * 9000],
)
def test_no_question_breaks_recall(known: Any, mia: Any, query: str) -> None:
    known.know("We deploy on Thursdays")
    assert isinstance(known.recall(query, mia), list)
    assert Memory.objects.count() == 1


def test_a_shelf_too_large_to_search_exactly_is_searched_by_the_index(known: Any, mia: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'memory_nearest'")
        (source,) = cursor.fetchone()
        cursor.execute("SELECT pg_get_functiondef('memory_nearest'::regproc)")
        (definition,) = cursor.fetchone()
        cursor.execute(re.sub(r"<= 3000", "<= 3", definition))
    assert "<= 3000" in source
    for number in range(40):
        known.know(f"memory number {number} about topic {number % 7}", even_if_similar=True)
    target = known.know("xylophone lessons start at nine")
    only_vector = Weights(text=0, graph=0, person=0, time=0, when=0, importance=0, recency=0)
    assert known.recall("xylophone lessons", mia, weights=only_vector)[0].id == target.pk


def test_nobody_at_all_hears_nothing(known: Any) -> None:
    known.know("We deploy on Thursdays")
    assert known.recall("deploy", listeners=Listeners()) == []
