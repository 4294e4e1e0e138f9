"""How forms are shown, read, and answered when the services below refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.errors import AccountsError
from spacebot_site.web.door import wants_fragment


def dialog(request: HttpRequest, template: str, title: str, shown: dict[str, Any]) -> HttpResponse:
    """Show a form: alone, for a dialog over the page, or on a page of its own."""
    if wants_fragment(request):
        return render(request, template, {**shown, "title": title, "in_dialog": True})
    return render(request, "layout/form_page.html", {**shown, "title": title, "form_template": template})


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
