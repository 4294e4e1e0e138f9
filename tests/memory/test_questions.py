from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memory.recall.questions import read_question

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("what happened on 2026-03-04", "2026-03-04", "2026-03-05"),
        ("what did we do on 3 May, 2023?", "2023-05-03", "2023-05-04"),
        ("dinner on May 3rd, 2023", "2023-05-03", "2023-05-04"),
        ("dinner on May 3", "2026-05-03", "2026-05-04"),
        ("what did we say about X in March", "2026-03-01", "2026-04-01"),
        ("what was decided in December", "2025-12-01", "2026-01-01"),
        ("the trip of August 2022", "2022-08-01", "2022-09-01"),
        ("the plan for 2 weeks ago", "2026-05-29", "2026-06-05"),
        ("what was in 2024", "2024-01-01", "2025-01-01"),
        ("what was yesterday", "2026-06-14", "2026-06-15"),
        ("who came today", "2026-06-15", "2026-06-16"),
    ],
)
def test_a_time_in_words_becomes_a_range(text: str, since: str, until: str) -> None:
    question = read_question(text, now=NOW)
    assert question.since == datetime.fromisoformat(since).replace(tzinfo=UTC)
    assert question.until == datetime.fromisoformat(until).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "may I come?",
        "we march on",
        "who is May?",
        "31 February 2023",
        "99 May",
        "the 2024 model",
        "9999-99-99",
    ],
)
def test_what_names_no_time_has_no_range_or_a_valid_one(text: str) -> None:
    question = read_question(text, now=NOW)
    assert (question.since is None) == (question.until is None)
    if question.since and question.until:
        assert question.since < question.until


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("When did Mia come?", True),
        ("How long has it run?", True),
        ("In what year?", True),
        ("Who came?", False),
    ],
)
def test_asking_when_is_noticed(text: str, asks: bool) -> None:
    assert read_question(text, now=NOW).asks_when is asks
