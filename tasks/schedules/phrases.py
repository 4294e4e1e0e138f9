"""Reading when something should run, said in words or in named parts. Dates and zones are worked out here, never by a model.

A phrase is read by a list of forms, most particular first; what no form reads is refused with examples, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.errors import InvalidInput
from tasks.models import ScheduleKind
from tasks.schedules.clock_words import ORDINALS, count, day_time, moments, weekday
from tasks.schedules.timing import Timing

DEFAULT_TIME = time(9, 0)
EXAMPLES = (
    "every 30 minutes, every weekday at nine, every Monday and Thursday at 8:30, the first Monday of the month, "
    "on the 15th of every month at noon, in twenty minutes, tomorrow at 17:00"
)
UNIT_S = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 7 * 86_400}
N = r"(?P<n>\d{1,4}|[a-z]+(?:[- ][a-z]+)?)"
DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?"
NAMED = rf"(?P<days>(?:{DAY})(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*)(?:{DAY}))*)"
NTH = rf"(?P<nth>{'|'.join(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)?)"
AT = r"(?:,?\s*(?:at|@)?\s+(?P<at>.+))?"
OF_MONTH = r"(?:\s+(?:of|in|day of)?\s*(?:the|every|each)?\s*month)"


def read_phrase(phrase: str, *, zone: ZoneInfo, now: datetime) -> Timing:
    """Return when a phrase means. Raises InvalidInput, which lists what can be read."""
    text = " ".join(phrase.lower().replace(".", " ").replace("’", "'").split()).strip(" ,;!")
    if len(text) <= 120:
        for pattern, make in FORMS:
            if found := re.fullmatch(pattern, text):
                timing = make({k: v for k, v in found.groupdict().items() if v}, zone, now)
                if timing is not None:
                    return timing
    raise InvalidInput(f"I cannot read “{phrase.strip()[:80]}” as a time. Try: {EXAMPLES}.", field="phrase")


def interval(seconds: int, zone: ZoneInfo) -> Timing:
    return Timing(ScheduleKind.INTERVAL, zone.key, interval_s=seconds)


def once(at: datetime, zone: ZoneInfo) -> Timing:
    return Timing(ScheduleKind.ONCE, zone.key, once_at=at.astimezone(UTC))


def calendar(at: Sequence[time], zone: ZoneInfo, *, day: str = "*", weekdays: str = "*") -> Timing:
    """Return an expression for times of the day, which must share their minute: an expression has but one."""
    minutes = {each.minute for each in at}
    if len(minutes) != 1:
        raise InvalidInput(
            "One schedule can have several times only at the same minute of the hour; make one for each.",
            field="times",
        )
    hours = ",".join(str(hour) for hour in sorted({each.hour for each in at}))
    return Timing(ScheduleKind.EXPRESSION, zone.key, expression=f"{minutes.pop()} {hours} {day} * {weekdays}")


def nth_weekday(nth: int, day: int, at: Sequence[time], zone: ZoneInfo) -> Timing:
    """`nth` is 1 to 5, or -1 for the last of the month; `day` is 0 for Sunday."""
    return calendar(at, zone, weekdays=f"{day}L" if nth == -1 else f"{day}#{nth}")


def month_day(day: int, at: Sequence[time], zone: ZoneInfo) -> Timing:
    """`day` is 1 to 31, or -1 for the last. A day that a month has not is left out in that month."""
    if day != -1 and not 1 <= day <= 31:
        raise InvalidInput("A month has days 1 to 31.", field="day")
    return calendar(at, zone, day="L" if day == -1 else str(day))


def _every(parts: dict[str, str], zone: ZoneInfo, now: datetime) -> Timing | None:
    many = count(parts.get("n", "one"))
    if many is None or not 0 < many < 10_000:
        return None
    unit = parts["unit"].rstrip("s")
    if unit == "day" and many == 1:
        return _days("*", parts, zone)
    if "at" in parts:
        return None
    return interval(int(many * UNIT_S[unit]), zone)


def _days(weekdays: str, parts: dict[str, str], zone: ZoneInfo) -> Timing | None:
    at = moments(parts["at"]) if "at" in parts else [DEFAULT_TIME]
    return calendar(at, zone, weekdays=weekdays) if at else None


def _part_of_day(parts: dict[str, str], zone: ZoneInfo, now: datetime) -> Timing | None:
    at = moments(parts["at"]) if "at" in parts else [day_time(parts["part"])]
    return calendar(at, zone) if at else None


def _weekdays(parts: dict[str, str], zone: ZoneInfo, now: datetime) -> Timing | None:
    names = re.findall(DAY, parts["days"])
    return _days(",".join(str(day) for day in sorted({weekday(name) for name in names})), parts, zone)


def _nth_weekday(parts: dict[str, str], zone: ZoneInfo, now: datetime) -> Timing | None:
    at, nth = moments(parts["at"]) if "at" in parts else [DEFAULT_TIME], _ordinal(parts["nth"])
    if not at or not (nth == -1 or 1 <= nth <= 5):
        return None
    return nth_weekday(nth, weekday(parts["day"]), at, zone)


def _month_day(parts: dict[str, str], zone: ZoneInfo, now: datetime) -> Timing | None:
    at = moments(parts["at"]) if "at" in parts else [DEFAULT_TIME]
    return month_day(_ordinal(parts["nth"]), at, zone) if at else None


def _from_now(parts: dict[str, str], zone: ZoneInfo, now: datetime) -> Timing | None:
    many = count(parts["n"])
    if many is None:
        return None
    return once(now + timedelta(seconds=int(many * UNIT_S[parts["unit"].rstrip("s")])), zone)


def _on_a_day(parts: dict[str, str], zone: ZoneInfo, now: datetime) -> Timing | None:
    """Read today, tomorrow, a weekday, a date, or a bare time, which means its next occurrence."""
    at = (
        moments(parts["at"])
        if "at" in parts
        else [day_time(parts["part"]) if "part" in parts else DEFAULT_TIME]
    )
    if len(at) != 1:
        return None
    today = now.astimezone(zone).date()
    if "date" in parts:
        try:
            day = datetime.strptime(parts["date"], "%Y-%m-%d").date()  # noqa: DTZ007  only the date is kept
        except ValueError:
            return None
    elif "day" in parts:
        ahead = (weekday(parts["day"]) - today.isoweekday() % 7) % 7
        day = today + timedelta(days=ahead)
    else:
        day = today + timedelta(days=1 if parts.get("when") == "tomorrow" else 0)
    moment = datetime.combine(day, at[0], tzinfo=zone)
    if moment <= now and "date" not in parts and parts.get("when") != "today":
        moment = datetime.combine(day + timedelta(days=7 if "day" in parts else 1), at[0], tzinfo=zone)
    return once(moment, zone)


def _ordinal(text: str) -> int:
    return ORDINALS.get(text) or int(re.sub(r"\D", "", text))


def _fixed(seconds: int) -> Callable[[dict[str, str], ZoneInfo, datetime], Timing | None]:
    return lambda parts, zone, now: interval(seconds, zone)


def _named(weekdays: str) -> Callable[[dict[str, str], ZoneInfo, datetime], Timing | None]:
    return lambda parts, zone, now: _days(weekdays, parts, zone)


PART = r"(?P<part>morning|noon|midday|afternoon|evening|night|midnight)"
UNIT = r"(?P<unit>minutes?|hours?|days?|weeks?)"
Form = Callable[[dict[str, str], ZoneInfo, datetime], Timing | None]
FORMS: tuple[tuple[str, Form], ...] = (
    (r"(?:every|each) half(?: an)?[- ]hour", _fixed(1_800)),
    (r"hourly", _fixed(3_600)),
    (rf"(?:every|each) (?:weekday|working day|work day|business day)s?{AT}", _named("1-5")),
    (rf"(?:on )?weekdays{AT}", _named("1-5")),
    (rf"(?:every|each) weekend(?: day)?s?{AT}", _named("0,6")),
    (rf"(?:daily|everyday){AT}", _named("*")),
    (rf"(?:every|each) {PART}{AT}", _part_of_day),
    (rf"(?:every|each) (?:day|one day){AT}", _named("*")),
    (rf"(?:every|each) {UNIT}", _every),
    (rf"(?:every|each) {N} {UNIT}", _every),
    (rf"(?:on )?(?:the |every |each )?{NTH} (?P<day>{DAY}){OF_MONTH}{AT}", _nth_weekday),
    (rf"(?:on )?(?:the |every |each )?{NTH}(?: day)?{OF_MONTH}{AT}", _month_day),
    (rf"monthly on the {NTH}{AT}", _month_day),
    (rf"(?:every|each) {NAMED}{AT}", _weekdays),
    (rf"(?:on )?(?P<days>{DAY.removesuffix('s?')}s(?:(?:\s*,\s*|\s+and\s+){DAY})*){AT}", _weekdays),
    (rf"weekly on {NAMED}{AT}", _weekdays),
    (r"in (?P<n>half an|a quarter of an) (?P<unit>hour)", _from_now),
    (rf"in {N} {UNIT}", _from_now),
    (rf"(?P<when>today|tomorrow)(?: {PART})?{AT}", _on_a_day),
    (rf"(?:on |next |this )?(?P<day>{DAY.removesuffix('s?')})(?: {PART})?{AT}", _on_a_day),
    (r"(?:on )?(?P<date>\d{4}-\d\d-\d\d)(?:t|,?\s+(?:at )?)(?P<at>.+)", _on_a_day),
    (r"(?:on )?(?P<date>\d{4}-\d\d-\d\d)", _on_a_day),
    (r"at (?P<at>.+)", _on_a_day),
)
