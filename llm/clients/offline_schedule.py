"""What the offline rules understand of plans: where in a sentence the time stands, and what is to be done then.

Only the words are found here; what they mean is worked out by the tool they are handed to.
"""

from __future__ import annotations

import re

_NUMBER = r"(?:\d+|half an|an?|[a-z]+(?:-[a-z]+)?)"
_UNIT = r"(?:minute|hour|day|week)s?"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_DAYS = rf"{_DAY}(?:(?:,? and |, ){_DAY})*"
_CLOCK = r"(?:\d{1,2}(?::\d\d)?(?: ?[ap]m)?|noon|midnight|half past [a-z]+|[a-z]+)"
_AT = rf"(?:,? at {_CLOCK}(?: and {_CLOCK})?)?"
_NTH = r"(?:first|second|third|fourth|fifth|last|\d{1,2}(?:st|nd|rd|th))"
_MONTH = r"of (?:the|every|each) month"
_FORMS = (
    r"(?:every|each) half (?:an )?hour",
    rf"(?:every|each) (?:weekday|weekend|day|morning|evening|night)\b{_AT}",
    rf"(?:every|each) {_DAYS}{_AT}",
    rf"(?:every|each) {_UNIT}",
    rf"(?:every|each) {_NUMBER} {_UNIT}",
    r"hourly",
    rf"(?:daily|weekdays|on weekdays)\b{_AT}",
    rf"in {_NUMBER} {_UNIT}",
    rf"(?:on )?(?:the |every )?{_NTH} (?:{_DAY} |day )?{_MONTH}{_AT}",
    rf"(?:tomorrow|today)(?: morning| afternoon| evening)?\b{_AT}",
)
_WHEN = "|".join(f"(?:{form})" for form in _FORMS)
_BEFORE = re.compile(rf"^(?:please\s+)?(?P<when>{_WHEN})\s*[,:]?\s+(?P<what>.+)$", re.I | re.S)
_AFTER = re.compile(rf"^(?:please\s+)?(?P<what>.+?)\s*,?\s+(?P<when>{_WHEN})\s*[.!]?$", re.I | re.S)


def find_schedule_request(text: str) -> tuple[str, str] | None:
    """Return the time's words and what to do, of "every minute write …" or "check … every 30 minutes"."""
    text = text.strip()
    found = _BEFORE.match(text) or _AFTER.match(text)
    if found is None:
        return None
    return " ".join(found["when"].split()), found["what"].strip()
