"""MCP servers in the browser: added, seen to connect without a reload, read and approved, switched off."""

from __future__ import annotations

import sys

from playwright.sync_api import expect

from agents.models import McpTool
from agents.services.sandboxes import set_walls
from tests.browser.conftest import OpenAs, Program, check_accessible
from tests.factories import Team


def test_an_administrator_adds_a_server_and_approves_what_it_says(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    # The server lies in our own environment, which no command behind walls is shown.
    set_walls(team.owner, mode="none", network="", writable_paths=[], readable_paths=[])
    page = open_as(team.admin, "/settings/mcp/")
    check_accessible(page)
    page.get_by_role("link", name="Add a server").click()
    form = page.locator("dialog form[method=post]")
    form.get_by_label("Name", exact=True).fill("clock")
    form.get_by_label("Program", exact=True).fill(sys.executable)
    form.get_by_label("Arguments, one a line").fill("-m\nmcp_server_time")
    check_accessible(page)
    form.get_by_role("button", name="Add").click()
    # The worker looks at it, and the page shows what came of it by itself.
    page.get_by_role("button", name="Approve all 2").wait_for(timeout=60_000)
    check_accessible(page)
    page.get_by_text("What it takes").first.click()
    expect(page.locator("#mcp-server")).to_contain_text("IANA timezone name", use_inner_text=True)
    page.get_by_role("button", name="Approve all 2").click()
    page.get_by_role("button", name="Withdraw clock__convert_time").wait_for()
    assert McpTool.objects.filter(approved_digest="").count() == 0
    page.set_viewport_size({"width": 390, "height": 844})
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Switch off").click()
    page.get_by_role("button", name="Switch on").wait_for()
    page.goto(page.url.rsplit("/", 2)[0] + "/")
    page.locator(".rows", has_text="clock").get_by_text("Off").wait_for()
    check_accessible(page)


def test_a_server_that_fails_says_why_and_when_it_is_tried_again(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    page = open_as(team.admin, "/settings/mcp/new/")
    page.get_by_label("Name", exact=True).fill("nowhere")
    page.get_by_label("Program", exact=True).fill("/nothing/here")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("It does not answer.").wait_for(timeout=60_000)
    assert "/nothing/here" in page.locator(".notice-bad").inner_text()
    page.get_by_text("It is tried again by itself").wait_for()
    check_accessible(page)
