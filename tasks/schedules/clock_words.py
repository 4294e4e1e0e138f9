"""Numbers, weekdays and times of the day as people write them."""

from __future__ import annotations

import re
from datetime import time

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
ODD = {
    "a": 1.0,
    "an": 1.0,
    "half an": 0.5,
    "half a": 0.5,
    "a quarter of an": 0.25,
    "other": 2.0,
    "second": 2.0,
    "couple": 2.0,
}
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1,
}  # fmt: skip
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DAY_TIMES = {
    "morning": time(9), "noon": time(12), "midday": time(12), "afternoon": time(15), "evening": time(18),
    "night": time(21), "midnight": time(0),
}  # fmt: skip
_TIME = re.compile(
    r"(?P<h>\d{1,2}|[a-z]+(?:[- ][a-z]+)?)(?::(?P<m>\d\d)(?::00)?)?\s*(?P<half>[ap]\s?m|o'clock|h)?"
)


def count(words: str) -> float | None:
    """Return the number that digits or English words say, up to ninety-nine in words; None for anything else."""
    words = words.strip()
    if words.isascii() and words.isdigit():
        return float(words)
    if words in ODD:
        return ODD[words]
    if words in ONES:
        return float(ONES.index(words))
    tens, _, ones = words.replace("-", " ").partition(" ")
    if tens in TENS and (not ones or (ones in ONES and 0 < ONES.index(ones) < 10)):
        return float(TENS[tens] + (ONES.index(ones) if ones else 0))
    return None


def weekday(name: str) -> int:
    """Return 0 for Sunday to 6 for Saturday, by the first three letters."""
    return WEEKDAYS.index(name[:3])


def day_time(name: str) -> time:
    return DAY_TIMES[name]


def moments(words: str) -> list[time]:
    """Return the times of the day in "9", "nine", "9:30", "8 am and 5 pm", "noon"; [] if one cannot be read."""
    parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", words.strip())
    found = [moment(part.removeprefix("at ").strip()) for part in parts]
    return [each for each in found if each is not None] if all(each is not None for each in found) else []


def moment(words: str) -> time | None:
    if words in DAY_TIMES:
        return DAY_TIMES[words]
    if words.startswith("half past ") and (whole := moment(words.removeprefix("half past "))):
        return whole.replace(minute=30)
    found = _TIME.fullmatch(words)
    if found is None:
        return None
    hour, minute = count(found["h"]), int(found["m"] or 0)
    half = (found["half"] or "").replace(" ", "")
    if hour is None or hour != int(hour) or minute > 59:
        return None
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(int(hour), minute) if hour <= 23 else None
