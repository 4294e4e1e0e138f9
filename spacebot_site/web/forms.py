"""What a form's view does when the services below refuse."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest

from accounts.errors import AccountsError


def attempt(request: HttpRequest, act: Callable[[], object], done: str) -> bool:
    """Do it and say so, or show why not; True when it was done."""
    try:
        act()
    except AccountsError as error:
        messages.error(request, str(error))
        return False
    messages.success(request, done)
    return True


def number(text: str | None) -> int:
    """Return the id in a form field; 0, which nothing has, when it is none."""
    return int(text) if text and text.isdecimal() and len(text) < 18 else 0
