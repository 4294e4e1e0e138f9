"""Checks of values that people type, shared by the services of every package."""

from __future__ import annotations

import unicodedata
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug

from accounts.errors import InvalidInput


def check_line(value: str, *, field: str, max_length: int) -> str:
    """Return `value` stripped; refuse an empty one, a long one and one with control characters."""
    value = value.strip()
    if not value:
        raise InvalidInput(f"The {field} must not be empty.", field=field)
    if len(value) > max_length:
        raise InvalidInput(f"The {field} may have at most {max_length} characters.", field=field)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise InvalidInput(f"The {field} must not contain control characters.", field=field)
    return value


def check_email(value: str) -> str:
    """Return the address in lower case, as users are stored."""
    value = check_line(value, field="email", max_length=254).lower()
    try:
        validate_email(value)
    except ValidationError:
        raise InvalidInput("This is not an e-mail address.", field="email") from None
    return value


def check_slug(value: str, *, max_length: int = 60) -> str:
    value = check_line(value, field="slug", max_length=max_length)
    try:
        validate_slug(value)
    except ValidationError:
        raise InvalidInput("A slug holds letters, digits, hyphens and underscores.", field="slug") from None
    return value.lower()


def check_time_zone(value: str) -> str:
    if value not in available_timezones():
        raise InvalidInput("This is not a time zone, such as Europe/Berlin.", field="time_zone")
    return value
