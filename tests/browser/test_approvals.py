"""An approval from the conversation: it shows while it waits, is decided there, and what was asked for then happens."""

from __future__ import annotations

from playwright.sync_api import expect

from agents.models import Policy, ToolPolicy
from messaging.services.conversations import start_conversation
from tasks.models import Approval
from tests.browser.conftest import OpenAs, Program, check_accessible
from tests.factories import Team


def test_a_call_waits_in_the_conversation_until_it_is_approved_there(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    ToolPolicy.objects.create(organization=team.organization, tool="write_file", policy=Policy.ASK)
    chat = start_conversation(team.moderator, agent_id=team.agent.pk, kind="dm")
    page = open_as(team.moderator, f"/chat/{chat.pk}/")
    page.fill("#text", "Write a file notes.txt saying hi")
    page.keyboard.press("Enter")
    card = page.locator(".approval-card")
    card.wait_for()
    assert "notes.txt" in card.inner_text()
    check_accessible(page)
    page.get_by_role("link", name="Approvals 1 waiting").wait_for()
    card.locator("summary").click()
    expect(card).to_contain_text("+hi", use_inner_text=True)
    card.locator("a").first.click()
    page.locator("#drawer", has_text="The exact action").wait_for()
    check_accessible(page)
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Approve").click()
    card.wait_for(state="detached")
    page.locator(".message", has_text="I wrote notes.txt").wait_for()
    assert Approval.objects.get().state == "executed"


def test_pages_of_approvals_and_tools_are_accessible(team: Team, open_as: OpenAs) -> None:
    for path in ("/approvals/", "/approvals/?show=closed", "/approvals/grants/", "/settings/tools/"):
        check_accessible(open_as(team.owner, path))
