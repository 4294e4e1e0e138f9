"""Times in words, worked out here: what they mean, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import InvalidInput
from tasks.schedules.phrases import read_phrase
from tasks.schedules.timing import Timing, check_timing
from tasks.schedules.words import describe, show
from tasks.services.schedules.fields import from_words, read_when, to_words

NOW = datetime(2026, 11, 25, 12, 30, 17, tzinfo=UTC)  # a Wednesday; 13:30 in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


def read(phrase: str) -> Timing:
    return check_timing(read_phrase(phrase, zone=BERLIN, now=NOW), now=NOW)


@pytest.mark.parametrize(
    ("phrase", "first", "words"),
    [
        ("every minute", "Wed 2026-11-25 13:31", "Every minute"),
        ("every 30 minutes", "Wed 2026-11-25 14:00", "Every 30 minutes"),
        ("Every half hour", "Wed 2026-11-25 14:00", "Every 30 minutes"),
        ("hourly", "Wed 2026-11-25 14:30", "Every hour"),
        ("every twenty-five minutes", "Wed 2026-11-25 13:55", "Every 25 minutes"),
        ("every other day", "Fri 2026-11-27 13:30", "Every 2 days"),
        ("every weekday at nine", "Thu 2026-11-26 09:00", "Every weekday at 09:00 (Europe/Berlin)"),
        ("every day at 8 and 17", "Wed 2026-11-25 17:00", "Every day at 08:00, 17:00 (Europe/Berlin)"),
        ("daily at half past seven", "Thu 2026-11-26 07:30", "Every day at 07:30 (Europe/Berlin)"),
        ("every Monday and Thursday at 8:30", "Thu 2026-11-26 08:30", "Every Monday and Thursday at 08:30 (Europe/Berlin)"),
        ("mondays", "Mon 2026-11-30 09:00", "Every Monday at 09:00 (Europe/Berlin)"),
        ("the first Monday of the month", "Mon 2026-12-07 09:00", "On the first Monday of every month at 09:00 (Europe/Berlin)"),
        ("last friday of the month at 5 pm", "Fri 2026-11-27 17:00", None),
        ("on the 15th of every month at noon", "Tue 2026-12-15 12:00", "On day 15 of every month at 12:00 (Europe/Berlin)"),
        ("the last day of the month", "Mon 2026-11-30 09:00", "On the last day of every month at 09:00 (Europe/Berlin)"),
        ("in twenty minutes", "Wed 2026-11-25 13:50:17", "Once, on Wed 2026-11-25 13:50:17 (Europe/Berlin)"),
        ("in half an hour", "Wed 2026-11-25 14:00:17", None),
        ("tomorrow at nine", "Thu 2026-11-26 09:00", None),
        ("tomorrow morning", "Thu 2026-11-26 09:00", None),
        ("at 9:15", "Thu 2026-11-26 09:15", None),
        ("on wednesday at nine", "Wed 2026-12-02 09:00", None),
        ("on 2027-03-28 at 02:30", "Sun 2027-03-28 03:30", None),
    ],
)  # fmt: skip
def test_a_phrase_means(phrase: str, first: str, words: str | None) -> None:
    timing = read(phrase)
    assert show(timing.upcoming(NOW, 1)[0]) == first
    if words:
        assert describe(timing) == words


@pytest.mark.parametrize(
    "phrase",
    ["", "when pigs fly", "every 0 minutes", "every 99999 minutes", "every -5 minutes", "today at nine",
     "on 2026-02-30 at 9:00", "every day at 25:00", "every day at 8:15 and 9:45", "in 0 minutes", "the 32nd of the month",
     "every minute; drop table", "x" * 500],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_not_guessed(phrase: str) -> None:
    with pytest.raises(InvalidInput):
        read(phrase)


@given(st.text(max_size=150))
def test_no_text_breaks_it(text: str) -> None:
    try:
        read(text)
    except InvalidInput:
        return


@pytest.mark.parametrize("phrase", ["every 90 minutes", "every weekday at nine", "on 2027-01-02 at 03:04"])
def test_one_field_writes_what_it_reads(phrase: str) -> None:
    timing = read(phrase)
    again = read_when(from_words(to_words(timing), time_zone=timing.time_zone), default_zone="UTC", now=NOW)
    assert again == timing
