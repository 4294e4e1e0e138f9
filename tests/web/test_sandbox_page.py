from __future__ import annotations

from django.test import Client

from agents.models import SandboxSetting
from agents.services.sandboxes import set_walls
from tests.factories import Team


def signed_in(team: Team, who: str) -> Client:
    client = Client()
    client.force_login(getattr(team, who).user)
    return client


def test_an_owner_changes_the_walls_and_a_member_only_sees_them(team: Team) -> None:
    owner, member = signed_in(team, "owner"), signed_in(team, "member")
    assert "Save" in owner.get("/settings/sandbox/").content.decode()
    page = member.get("/settings/sandbox/").content.decode()
    assert "An owner can change this." in page
    form = {"mode": "none", "network": "none", "writable": "", "readable": ""}
    member.post("/settings/sandbox/", form)
    assert not SandboxSetting.objects.exists()
    owner.post("/settings/sandbox/", form)
    assert SandboxSetting.objects.get().mode == "none"


def test_every_page_shows_that_there_are_no_walls(team: Team, rivals: Team) -> None:
    set_walls(team.owner, mode="none", network="", writable_paths=[], readable_paths=[])
    warning = "Commands of agents run without walls."
    for address in ("/home/", "/chat/", "/board/", "/settings/members/"):
        assert warning in signed_in(team, "member").get(address).content.decode()
        assert warning not in signed_in(rivals, "member").get(address).content.decode()
    set_walls(team.owner, mode="auto", network="", writable_paths=[], readable_paths=[])
    assert warning not in signed_in(team, "member").get("/home/").content.decode()


def test_a_path_that_must_not_be_shown_is_refused_with_the_reason(team: Team) -> None:
    owner = signed_in(team, "owner")
    for path, reason in (
        ("/", "is not shown"),
        ("/proc/1", "is not shown"),
        ("relative", "absolute"),
        ("/nowhere-at-all", "exist"),
    ):
        form = {"mode": "", "network": "", "writable": path, "readable": ""}
        assert reason in owner.post("/settings/sandbox/", form, follow=True).content.decode(), path
    assert not SandboxSetting.objects.exists()
