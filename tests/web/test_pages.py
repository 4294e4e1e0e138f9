from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from spacebot_site.web.tags import ICONS
from tests.factories import Team
from tests.web.conftest import SignIn

MEMBER_PAGES = [
    "/home/",
    "/chat/",
    "/chat/new/",
    "/chat/list/",
    "/runs/",
    "/agents/",
    "/agents/spacebot/",
    "/palette/",
]
MEMBER_PAGES += ["/settings/members/", "/settings/tokens/", "/chat/?archived"]
ADMIN_PAGES = ["/settings/models/", "/settings/secrets/", "/agents/new/"]


def private_chat(team: Team, *, title: str = "") -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title=title)


@pytest.mark.parametrize("path", MEMBER_PAGES)
def test_a_member_may_open_the_page(path: str, team: Team, sign_in: SignIn) -> None:
    assert sign_in(team.member).get(path).status_code == 200


@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_a_page_for_administrators_refuses_a_member_kindly(path: str, team: Team, sign_in: SignIn) -> None:
    assert sign_in(team.admin).get(path).status_code == 200
    refused = sign_in(team.member).get(path)
    assert refused.status_code == 403
    assert "administrator" in refused.content.decode()


@pytest.mark.parametrize("path", [*MEMBER_PAGES, *ADMIN_PAGES, "/"])
def test_a_stranger_is_asked_to_sign_in(path: str, team: Team) -> None:
    response = Client().get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")


def test_every_answer_forbids_inline_script_and_style(team: Team, sign_in: SignIn) -> None:
    for client, path in ((Client(), "/accounts/login/"), (sign_in(team.member), "/home/")):
        response = client.get(path)
        policy = response["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        page = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=", page)


def test_the_rail_shows_only_what_the_role_may_open(team: Team, sign_in: SignIn) -> None:
    assert "/settings/secrets/" not in sign_in(team.member).get("/home/").content.decode()
    assert "/settings/secrets/" in sign_in(team.owner).get("/home/").content.decode()


def test_a_missing_page_is_friendly(team: Team, sign_in: SignIn) -> None:
    response = sign_in(team.member).get("/chat/999999/")
    assert response.status_code == 404
    assert "nothing here" in response.content.decode()


def test_a_form_without_its_token_says_what_to_do(team: Team) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(team.member.user, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post("/chat/new/", {"agent": team.agent.pk})
    assert response.status_code == 403
    assert "open too long" in response.content.decode()
    assert not Conversation.objects.exists()


def test_someone_without_an_organization_is_told_so(team: Team, sign_in: SignIn) -> None:
    team.member.user.memberships.all().delete()
    assert "no organization" in sign_in(team.member).get("/home/").content.decode()


def test_switching_organizations_holds_for_the_session(team: Team, rivals: Team, sign_in: SignIn) -> None:
    client = sign_in(team.member)
    assert client.post("/organization/switch/", {"organization": "rivals"}).status_code == 404
    rivals.organization.memberships.create(user=team.member.user, role="member")
    client.post("/organization/switch/", {"organization": "rivals"})
    assert 'data-organization="rivals"' in client.get("/home/").content.decode()


def test_every_icon_that_a_page_names_exists() -> None:
    named = set()
    for folder, pattern in (
        ("templates", r'{% icon "([\w-]+)"'),
        ("spacebot_site/web", r'"icon": "([\w-]+)"'),
    ):
        for path in Path(settings.BASE_DIR / folder).rglob("*.*"):
            if path.suffix in (".html", ".py"):
                named |= set(re.findall(pattern, path.read_text()))
    assert named
    if not ICONS.is_dir():
        pytest.skip("the front-end packages are not installed")
    assert {name for name in named if not (ICONS / f"{name}.svg").is_file()} == set()
