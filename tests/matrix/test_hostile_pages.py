"""What is typed into forms and addresses to make pages break."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from tests.matrix.table import ACTS, ADMIN_ROWS, PAGES
from tests.matrix.table.rules import Act
from tests.matrix.test_hostile_api import counts
from tests.matrix.test_pages import address
from tests.matrix.world import World, undone

pytestmark = pytest.mark.django_db

TYPED = {
    "nothing": "",
    "space": "   ",
    "a NUL": "a\x00b",
    "control characters": "\x1b[31m\x07\x7f",
    "100,001 characters": "x" * 100_001,
    "a megabyte": "x" * 1_000_000,
    "right to left": "שלום ‏עולם",
    "emoji": "👩‍👩‍👧‍👦🎉",
    "other digits": "٣",
    "a square": "²",
    "a long number": "9" * 30,
    "a number past reading": "9" * 5_000,
    "less than nothing": "-1",
    "no number": "NaN",
    "without end": "Infinity",
    "markup": "<script>alert(1)</script>",
    "a format": "{0.__class__} %s %(x)s",
}
QUERIES = (
    "q",
    "before",
    "conversation",
    "kind",
    "live",
    "open",
    "archived",
    "after",
    "page",
    "cursor",
    "next",
    "state",
    "agent",
)
ASKED = [
    "%00",
    "%FF%FE",
    "9" * 30,
    "9" * 5_000,
    "-1",
    "%D9%A3",
    "%C2%B2",
    "x" * 5_000,
    "%27%3A%2A%20%7C%20%28",
    "%5C",
    "%25",
]
SEARCHED = ("palette/", "chat/", "chat/list/", "runs/")
SIGN_IN = ("login", "password", "next")


def patient(world: World, act: Act | None, who: str = "owner") -> Client:
    """Return a browser that shows failures as pages; the member's where only participants act."""
    browser = world.visitor("member" if act and PAGES[act.page].participants else who)
    browser.raise_request_exception = False
    return browser


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.page}{act.name}")
def test_a_form_takes_or_refuses_whatever_is_typed(world: World, act: Act) -> None:
    fields = [name for name in act.form(world) if name != "act"]
    for field in fields or [""]:
        for what, text in TYPED.items():
            form: dict[str, Any] = {**act.form(world), field or "surprise": text}
            with undone():
                response = patient(world, act).post(address(world, act.page), form)
            assert response.status_code < 500, (field, what)
            assert "<script>alert(1)" not in response.content.decode(), field


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.page}{act.name}")
def test_a_form_without_its_fields_is_refused_or_means_nothing(world: World, act: Act) -> None:
    for form in ({}, {"act": "surprise"}, {"act": act.form(world).get("act", "")}):
        with undone():
            assert patient(world, act).post(address(world, act.page), form).status_code < 500


@pytest.mark.parametrize("pattern", [each for each, rule in PAGES.items() if rule.ok == 200])
def test_no_query_breaks_a_page(world: World, pattern: str) -> None:
    browser = world.visitor("member" if PAGES[pattern].participants else "owner")
    browser.raise_request_exception = False
    for asked in ASKED:
        together = "&".join(f"{name}={asked}" for name in QUERIES)
        alone = [f"{name}={asked}" for name in QUERIES] if pattern in SEARCHED else []
        for query in (together, *alone):
            with undone():
                assert browser.get(f"{address(world, pattern)}?{query}").status_code < 500, query[:100]


@pytest.mark.parametrize("pattern", [each for each in PAGES if "<" in each])
def test_no_id_breaks_a_page(world: World, pattern: str) -> None:
    for value in (0, 2**62, 2**63, 10**30, "9" * 4_000, "-1", "x", "%00", quote("👩"), "1.5"):
        path = pattern
        while "<" in path:
            path = path[: path.index("<")] + str(value) + path[path.index(">") + 1 :]
        browser = world.visitor("owner")
        browser.raise_request_exception = False
        for method in (browser.get, browser.post):
            with undone():
                assert method(f"/{path}").status_code in (404, 405), value


@pytest.mark.parametrize("field", SIGN_IN)
def test_nothing_typed_breaks_the_sign_in(world: World, field: str) -> None:
    before = counts()
    for what, text in TYPED.items():
        browser = Client(raise_request_exception=False)
        form = {"login": "nobody@acme.test", "password": "wrong", field: text}
        response = browser.post("/accounts/login/", form)
        assert response.status_code == 200, what
    assert counts() == before


def test_signing_in_leads_nowhere_else(world: World) -> None:
    for elsewhere in (
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "\thttps://evil.example",
    ):
        response = world.visitor("member").get("/accounts/login/", {"next": elsewhere})
        assert response.status_code == 302
        assert "evil" not in response["Location"]
        assert not response["Location"].startswith("javascript")


@pytest.mark.parametrize("label", ADMIN_ROWS)
def test_nothing_asked_breaks_a_list_of_the_admin(world: World, label: str) -> None:
    browser = world.visitor("superuser")
    browser.raise_request_exception = False
    url = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")
    for asked in (
        "q=%00",
        "q=%FF",
        "q=%27%22%5C",
        "p=99999999999999999999",
        "p=x",
        "o=99.-99.x",
        "id__exact=%00",
        "id=9999999999999999999999",
        "organization__id__exact=%00",
        "organization=x",
        "nothing__here=1",
        "all=",
        "e=1",
    ):
        with undone():
            assert browser.get(f"{url}?{asked}").status_code < 500, asked


@pytest.mark.parametrize("label", ADMIN_ROWS)
def test_no_id_breaks_the_admin(world: World, label: str) -> None:
    browser = world.visitor("superuser")
    browser.raise_request_exception = False
    for value in ("0", "-1", 10**30, "9" * 4_000, "x", "_00", "%00", quote("👩")):
        for page in ("change", "history", "delete"):
            url = f"/admin/{label.lower().replace('.', '/')}/{value}/{page}/"
            with undone():
                assert browser.get(url).status_code in (302, 403, 404), url[:100]
