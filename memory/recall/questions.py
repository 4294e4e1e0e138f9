"""What a question says besides its words: who is named, and which time it asks about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = "|".join(f"{name}|{name[:3]}\\.?" for name in MONTHS)
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+({_MONTH})\b,?\s*(\d{{4}})?", re.IGNORECASE
)
_MONTH_DAY = re.compile(rf"\b({_MONTH})\s+(\d{{1,2}})(?:st|nd|rd|th)?\b,?\s*(\d{{4}})?", re.IGNORECASE)
_MONTH_ALONE = re.compile(
    rf"\b(?:in|during|of|since|last|this|early|late|mid)[\s-]+({_MONTH})\b,?\s*(\d{{4}})?", re.IGNORECASE
)
_MONTH_YEAR = re.compile(rf"\b({_MONTH}),?\s+(\d{{4}})\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:in|during|of|since)\s+((?:19|20)\d{2})\b", re.IGNORECASE)
_AGO = re.compile(
    r"\b(\d{1,3}|an?|one|two|three|four|five|six)\s+(day|week|month|year)s?\s+ago\b", re.IGNORECASE
)
_LAST = re.compile(r"\b(last|this|past)\s+(week|month|year)\b", re.IGNORECASE)
_WHEN = re.compile(
    r"\b(when|how long|since when|what (?:day|date|month|year|time)|which (?:day|month|year))\b",
    re.IGNORECASE,
)
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True)
class Question:
    """`words` are in lower case; `since` and `until` bound the time the question names, if it names one."""

    text: str
    words: list[str]
    asks_when: bool
    since: datetime | None = None
    until: datetime | None = None


def read_question(text: str, *, now: datetime) -> Question:
    span = _span(text, now)
    return Question(
        text=text,
        words=sorted(set(re.findall(r"\w+", text.lower()))),
        asks_when=bool(_WHEN.search(text)),
        since=span[0] if span else None,
        until=span[1] if span else None,
    )


def _span(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the first time that the text names, from the exact to the vague."""
    if found := _ISO.search(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_MONTH.search(text):
        return _dated(_month(found[2]), int(found[1]), found[3], now)
    if found := _MONTH_DAY.search(text):
        return _dated(_month(found[1]), int(found[2]), found[3], now)
    if found := _MONTH_YEAR.search(text) or _MONTH_ALONE.search(text):
        return _whole_month(_month(found[1]), found[2], now)
    if found := _YEAR.search(text):
        return datetime(int(found[1]), 1, 1, tzinfo=UTC), datetime(int(found[1]) + 1, 1, 1, tzinfo=UTC)
    return _relative(text.lower(), now)


def _relative(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if found := _AGO.search(text):
        count = _NUMBERS.get(found[1]) or int(found[1])
        days = _DAYS[found[2]]
        middle = midnight - timedelta(days=count * days)
        return middle - timedelta(days=days // 2), middle + timedelta(days=days // 2 + 1)
    if found := _LAST.search(text):
        days = _DAYS[found[2]]
        back = 2 * days if found[1] == "last" else days
        return midnight - timedelta(days=back), now + timedelta(days=1)
    if re.search(r"\byesterday\b", text):
        return midnight - timedelta(days=1), midnight
    if re.search(r"\btoday\b", text):
        return midnight, midnight + timedelta(days=1)
    return None


def _month(name: str) -> int:
    return next(
        number for number, month in enumerate(MONTHS, 1) if month.startswith(name.lower().rstrip("."))
    )


def _dated(month: int, day: int, year: str | None, now: datetime) -> tuple[datetime, datetime] | None:
    if not 1 <= day <= 31:
        return _whole_month(month, str(day) if day > 31 else year, now)
    return _day(int(year) if year else _latest_year(month, now), month, day)


def _day(year: int, month: int, day: int) -> tuple[datetime, datetime] | None:
    try:
        start = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return start, start + timedelta(days=1)


def _whole_month(month: int, year: str | None, now: datetime) -> tuple[datetime, datetime]:
    number = int(year) if year else _latest_year(month, now)
    start = datetime(number, month, 1, tzinfo=UTC)
    return start, datetime(number + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _latest_year(month: int, now: datetime) -> int:
    """Return the year of the last such month that has begun."""
    return now.year if month <= now.month else now.year - 1
