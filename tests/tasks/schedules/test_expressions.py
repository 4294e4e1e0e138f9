"""Calendar expressions against an independent implementation, and against the wall clock where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import CroniterBadDateError, croniter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import InvalidInput
from tasks.schedules.timing import Timing, check_expression, check_timing

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def terms(low: int, high: int, names: list[str] | None = None) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    # A range of one value is left out: croniter takes it for the whole field.
    bounds = st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1])
    ranges = bounds.map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = st.tuples(ranges, st.integers(1, high)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    plain = [numbers.map(str), ranges, steps]
    if names:
        plain.append(st.sampled_from(names))
    lists = st.lists(st.one_of(*plain), min_size=1, max_size=3).map(",".join)
    stars = st.integers(2, high).map(lambda step: f"*/{step}")
    return st.one_of(st.just("*"), st.just("*"), stars, lists)


EXPRESSIONS = st.tuples(
    terms(0, 59), terms(0, 23), terms(1, 31), terms(1, 12, MONTHS), terms(0, 6, DAYS)
).map(" ".join)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@pytest.mark.slow
@settings(max_examples=10_000, suppress_health_check=list(HealthCheck))
@given(expression=EXPRESSIONS, moment=MOMENTS)
def test_ten_thousand_expressions_come_due_when_croniter_says(expression: str, moment: datetime) -> None:
    """One reading differs and is told to croniter: with `*` at the front of a day field, both day fields must fit."""
    day, weekday = expression.split()[2], expression.split()[4]
    both_must_fit = day.startswith("*") or weekday.startswith("*")
    other = croniter(expression, moment, day_or=not both_must_fit, max_years_between_matches=8)
    try:
        expected = [other.get_next(datetime) for _ in range(2)]
    except CroniterBadDateError:
        expected = []
    try:
        clean = check_expression(expression)
    except InvalidInput:
        assert expected == []
        return
    found = list(islice(Timing("expression", "UTC", expression=clean).instants_after(moment), 2))
    if not expected:
        assert not found or found[-1] - moment > timedelta(days=365 * 7)
    else:
        assert found == expected


@pytest.mark.parametrize("sunday", ["0", "7", "SUN", "sun"])
def test_sunday_is_zero_or_seven_or_its_name(sunday: str) -> None:
    timing = Timing("expression", "UTC", expression=check_expression(f"0 9 * * {sunday}"))
    assert timing.next_after(datetime(2026, 11, 25, tzinfo=UTC)) == datetime(2026, 11, 29, 9, tzinfo=UTC)


def test_one_to_five_are_the_weekdays() -> None:
    timing = Timing("expression", "UTC", expression="0 9 * * 1-5")
    days = [each.isoweekday() for each in timing.upcoming(datetime(2026, 11, 25, tzinfo=UTC), 7)]
    assert days == [3, 4, 5, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
     "*/0 * * * *", "5-1 * * * *", "a b c d e", "* * * * 1#6", "@daily", "٣ * * * *", "* * 30 2 *"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInput):
        check_timing(Timing("expression", "UTC", expression=expression), now=datetime(2026, 1, 1, tzinfo=UTC))


BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SPRING = datetime(2026, 3, 28, 22, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 22, tzinfo=UTC)


def shown(expression: str, moment: datetime, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    timing = Timing("expression", zone.key, expression=expression)
    return [each.strftime("%d %H:%M %Z") for each in timing.upcoming(moment, count)]


def test_a_fixed_time_that_does_not_exist_runs_at_once_after_the_gap() -> None:
    assert shown("30 2 * * *", SPRING, 2) == ["29 03:00 CEST", "30 02:30 CEST"]


def test_two_times_in_one_gap_are_one_instant() -> None:
    assert shown("0,30 2 * * *", SPRING, 2) == ["29 03:00 CEST", "30 02:00 CEST"]
    assert shown("0 2,3 * * *", SPRING, 3) == ["29 03:00 CEST", "30 02:00 CEST", "30 03:00 CEST"]


def test_a_fixed_time_that_exists_twice_runs_once() -> None:
    assert shown("30 2 * * *", AUTUMN, 2) == ["25 02:30 CEST", "26 02:30 CET"]
    after_the_first = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10, for the second time
    assert shown("30 2 * * *", after_the_first, 1) == ["26 02:30 CET"]


def test_what_runs_every_hour_follows_real_time_over_both_changes() -> None:
    for start in (SPRING, AUTUMN):
        timing = Timing("expression", "Europe/Berlin", expression="0 * * * *")
        found = list(islice(timing.instants_after(start), 8))
        assert {b - a for a, b in pairwise(found)} == {timedelta(hours=1)}


def test_an_interval_does_not_drift_and_ignores_the_clocks() -> None:
    anchor = datetime(2026, 10, 24, 22, 0, 7, tzinfo=UTC)
    timing = Timing("interval", "Europe/Berlin", interval_s=1_800, anchor_at=anchor)
    late = anchor + timedelta(days=30, seconds=11)
    assert timing.next_after(late) == anchor + timedelta(days=30, minutes=30)


def test_leap_day_and_month_ends() -> None:
    assert shown("0 9 29 2 *", datetime(2026, 1, 1, tzinfo=UTC), 1)[0].startswith("29 09:00")
    timing = Timing("expression", "UTC", expression="0 9 29 2 *")
    assert [each.year for each in timing.upcoming(datetime(2026, 1, 1, tzinfo=UTC), 3)] == [2028, 2032, 2036]
    ends = Timing("expression", "UTC", expression="0 9 L * *")
    found = [each.day for each in ends.upcoming(datetime(2028, 1, 1, tzinfo=UTC), 4)]
    assert found == [31, 29, 31, 30]
    on_the_31st = Timing("expression", "UTC", expression="0 9 31 * *")
    assert [each.month for each in on_the_31st.upcoming(datetime(2026, 1, 1, tzinfo=UTC), 4)] == [1, 3, 5, 7]


@settings(max_examples=300)
@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    day=st.dates(datetime(2024, 1, 1).date(), datetime(2030, 1, 1).date()),  # noqa: DTZ001
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_a_daily_time_comes_once_a_day_whatever_the_clocks_do(
    minute: int, hour: int, day: object, zone: str
) -> None:
    assert isinstance(day, type(datetime(2024, 1, 1).date()))  # noqa: DTZ001
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    timing = Timing("expression", zone, expression=f"{minute} {hour} * * *")
    found = timing.upcoming(start - timedelta(seconds=1), 370)
    dates = [each.date() for each in found]
    assert len(set(dates)) == len(dates)
    assert (dates[-1] - dates[0]).days == len(dates) - 1
