from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.errors import Forbidden, InvalidInput, LinkUnusable, NotFound
from accounts.models import SignInLink, User
from accounts.services.links import (
    check_sign_in_link,
    create_invitation,
    create_sign_in_link,
    use_sign_in_link,
)
from accounts.services.members import add_member
from tests.factories import Team


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


def _path(raw: str) -> str:
    return reverse("sign_in_link", args=[raw])


def test_a_link_signs_in_once(team: Team) -> None:
    raw = create_sign_in_link(team.member.user)
    assert use_sign_in_link(raw) == team.member.user
    with pytest.raises(LinkUnusable) as caught:
        use_sign_in_link(raw)
    assert caught.value.reason == "used"


def test_the_link_itself_is_not_stored(team: Team) -> None:
    raw = create_sign_in_link(team.member.user)
    assert raw not in str(SignInLink.objects.values().get())


def test_unknown_expired_and_orphaned_links_are_refused(team: Team) -> None:
    raw = create_sign_in_link(team.member.user)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for candidate, reason in ((raw, "expired"), ("nonsense", "unknown"), ("\ud800", "unknown")):
        with pytest.raises(LinkUnusable) as caught:
            use_sign_in_link(candidate)
        assert caught.value.reason == reason
    raw = create_sign_in_link(team.member.user)
    User.objects.filter(pk=team.member.user.pk).update(is_active=False)
    with pytest.raises(LinkUnusable):
        use_sign_in_link(raw)


@pytest.mark.parametrize("ttl_s", [0, -1, 8 * 24 * 3600])
def test_a_link_lives_neither_zero_nor_forever(team: Team, ttl_s: int) -> None:
    with pytest.raises(InvalidInput):
        create_sign_in_link(team.member.user, ttl_s=ttl_s)


def test_opening_the_page_does_not_use_the_link(team: Team) -> None:
    raw, client = create_sign_in_link(team.member.user), Client()
    for _ in range(2):
        response = client.get(_path(raw))
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"]
    assert client.head(_path(raw)).status_code == 200
    assert check_sign_in_link(raw) == team.member.user
    assert "_auth_user_id" not in client.session


def test_the_button_signs_in_and_a_second_press_explains(team: Team) -> None:
    raw, client = create_sign_in_link(team.member.user), Client()
    response = client.post(_path(raw))
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(team.member.user.pk)
    again = Client().post(_path(raw))
    assert again.status_code == 410
    assert "used already" in again.content.decode()


def test_the_button_needs_its_own_page(team: Team) -> None:
    raw, client = create_sign_in_link(team.member.user), Client(enforce_csrf_checks=True)
    assert client.post(_path(raw)).status_code == 403
    assert check_sign_in_link(raw) == team.member.user


def test_an_unknown_link_explains_itself(db: None) -> None:
    response = Client().get(_path("x" * 43))
    assert response.status_code == 410
    assert "not known" in response.content.decode()


def test_strangers_cannot_sign_up(db: None) -> None:
    form = {"email": "eve@evil.test", "password1": "correct horse battery"}
    assert Client().post(reverse("account_signup"), form).status_code == 200
    assert not User.objects.filter(email="eve@evil.test").exists()


def test_a_new_member_can_be_given_a_link(team: Team) -> None:
    user = add_member(team.admin, email="new@acme.test").user
    assert use_sign_in_link(create_invitation(team.admin, user.pk)) == user


def test_an_invitation_lets_nobody_become_somebody_else(team: Team, rivals: Team) -> None:
    add_member(team.owner, email=rivals.member.user.email)
    new_owner = add_member(team.owner, email="boss@acme.test", role="owner").user
    settled = team.member.user
    settled.last_login = timezone.now()
    settled.save()
    for user in (rivals.member.user, new_owner, settled):
        with pytest.raises(Forbidden):
            create_invitation(team.admin, user.pk)
    with pytest.raises(Forbidden):
        create_invitation(team.moderator, team.other_member.user.pk)
    with pytest.raises(NotFound):
        create_invitation(team.owner, rivals.owner.user.pk)
    assert not SignInLink.objects.exists()


def test_the_command_prints_a_link_that_works(team: Team) -> None:
    out = StringIO()
    call_command("sign_in_link", team.member.user.email.upper(), stdout=out)
    raw = out.getvalue().strip().rstrip("/").rsplit("/", 1)[1]
    assert use_sign_in_link(raw) == team.member.user
    with pytest.raises(CommandError):
        call_command("sign_in_link", "nobody@acme.test")
