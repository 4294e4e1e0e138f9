"""What every answer tells browsers, and that no page holds a script or a style of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from messaging.attachments.download import POLICY as DOWNLOAD
from spacebot_site.web.security import ADMIN_POLICY, POLICY
from tests.matrix.table import ADMIN_ROWS, PAGES
from tests.matrix.test_pages import address
from tests.matrix.world import World, undone

pytestmark = pytest.mark.django_db

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>|<style|<[^>]*\s(?:style|on\w+)=|javascript:", re.IGNORECASE
)
SHOWN = [pattern for pattern, rule in PAGES.items() if rule.ok == 200]
OPEN = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/inactive/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-unknown/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/unknown/",
    "/sign-in/unknown/",
    "/nothing/here/",
    "/api/v1/docs",
]
SIGNED_IN = ["/accounts/logout/", "/accounts/password/change/", "/accounts/reauthenticate/", "/chat/999999/"]


def check(response: Any, policy: str) -> None:
    headers = response.headers
    assert headers["Content-Security-Policy"] == policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    for power in ("camera", "geolocation", "microphone", "payment", "usb"):
        assert f"{power}=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("pattern", SHOWN)
def test_a_page_is_guarded_and_holds_nothing_inline(world: World, pattern: str) -> None:
    with undone():
        response = world.visitor("member" if PAGES[pattern].participants else "owner").get(
            address(world, pattern)
        )
    assert response.status_code == 200
    check(response, DOWNLOAD if response.has_header("Content-Disposition") else POLICY)
    assert INLINE.findall(response.content.decode(errors="replace")) == []


@pytest.mark.parametrize("path", [*OPEN, *SIGNED_IN])
def test_what_surrounds_the_pages_is_guarded_and_holds_nothing_inline(world: World, path: str) -> None:
    response = (world.visitor("member") if path in SIGNED_IN else Client()).get(path)
    assert response.status_code < 500
    if not path.startswith("/api/"):
        check(response, POLICY)
    assert INLINE.findall(response.content.decode(errors="replace")) == []


def test_refusals_and_failures_are_guarded_as_well(world: World, settings: Any) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    refused = strict.post("/accounts/login/")
    forbidden = world.visitor("member").get("/settings/secrets/")
    redirect = Client().get("/home/")
    method = world.visitor("member").get("/organization/switch/")
    elsewhere = Client().get("/home/", headers={"Host": "evil.example"})
    for response, status in (
        (refused, 403),
        (forbidden, 403),
        (redirect, 302),
        (method, 405),
        (elsewhere, 400),
    ):
        assert response.status_code == status
        check(response, POLICY)
        assert INLINE.findall(response.content.decode(errors="replace")) == []


def test_a_failure_of_ours_shows_a_guarded_page(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("spacebot_site.web.home.first_steps", lambda actor: 1 / 0)
    browser = world.visitor("member")
    browser.raise_request_exception = False
    with undone():
        response = browser.get("/home/")
    assert response.status_code == 500
    check(response, POLICY)
    assert INLINE.findall(response.content.decode(errors="replace")) == []
    assert "ZeroDivision" not in response.content.decode()


def test_the_api_is_guarded(world: World) -> None:
    answers = [
        world.tokens["owner"].get("/agents"),
        world.tokens["nobody"].get("/agents"),
        world.tokens["owner"].get("/nothing"),
        world.tokens["owner"]("DELETE", "/agents"),
        Client().get("/api/v1/openapi.json"),
    ]
    for response in answers:
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert response["Cache-Control"] == "no-store"
        check(response, response["Content-Security-Policy"])


def test_static_files_are_guarded(world: World) -> None:
    with override_settings(WHITENOISE_USE_FINDERS=True, WHITENOISE_AUTOREFRESH=True):
        response = Client().get("/static/css/base.css")
        missing = Client().get("/static/css/nothing.css")
    assert b"".join(response.streaming_content)
    assert missing.status_code == 404
    for each in (response, missing):
        check(each, POLICY)


@pytest.mark.parametrize("label", ADMIN_ROWS)
def test_the_admin_is_guarded_and_loads_nothing_from_elsewhere(world: World, label: str) -> None:
    name = f"admin:{label.lower().replace('.', '_')}_changelist"
    response = world.visitor("superuser").get(reverse(name))
    check(response, ADMIN_POLICY)
    assert "https:" not in ADMIN_POLICY
    page = response.content.decode()
    assert re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?:https?:)?//", page) == []


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(world: World, settings: Any) -> None:
    client = Client()
    with undone():
        world.acme.member.user.set_password("a long enough password")
        world.acme.member.user.save()
        response = client.post(
            "/accounts/login/", {"login": "mia@acme.test", "password": "a long enough password"}
        )
    assert response.status_code == 302
    session = response.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    token = Client().get("/accounts/login/").cookies[settings.CSRF_COOKIE_NAME]
    assert token["samesite"] == "Lax"
