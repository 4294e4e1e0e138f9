"""Where agents may go: an owner opens a host on the page, and it can be read on any screen."""

from __future__ import annotations

from django.utils import timezone

from agents.egress.errors import Refused
from agents.egress.rules import record_refusal
from agents.models import EgressRule, Run
from tests.browser.conftest import OpenAs, check_accessible
from tests.factories import Team


def test_an_owner_opens_a_private_host(team: Team, open_as: OpenAs) -> None:
    run = Run.objects.create(
        organization=team.organization, agent=team.agent, kind="worker", due_at=timezone.now(), input={}
    )
    record_refusal(run, Refused("it is a private address", host="10.0.0.7", port=80))
    page = open_as(team.owner, "/settings/network/")
    page.fill("#private-host", "169.254.169.254:80")
    page.locator("form", has=page.locator("#private-host")).get_by_role("button", name="Add").click()
    page.get_by_text("This is never reached").wait_for()
    page.fill("#private-host", "Wiki.LAN:8080")
    page.locator("form", has=page.locator("#private-host")).get_by_role("button", name="Add").click()
    page.locator("strong", has_text="wiki.lan:8080").wait_for()
    assert EgressRule.objects.get().host == "wiki.lan"
    check_accessible(page)
    narrow = open_as(team.owner, "/settings/network/", width=390, scheme="dark")
    narrow.get_by_text("10.0.0.7").wait_for()
    check_accessible(narrow)
