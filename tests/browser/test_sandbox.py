from __future__ import annotations

import pytest
from playwright.sync_api import expect

from agents.services.sandboxes import set_walls
from tests.browser.conftest import OpenAs, check_accessible
from tests.factories import Team


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_the_sandbox_page_is_accessible_and_every_page_warns_where_there_are_no_walls(
    team: Team, open_as: OpenAs, size: tuple[int, int]
) -> None:
    set_walls(team.owner, mode="none", network="", writable_paths=[], readable_paths=[])
    page = open_as(team.owner, "/settings/sandbox/")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    warning = page.get_by_role("link", name="Commands of agents run without walls.")
    expect(warning).to_be_visible()
    check_accessible(page)
    page.get_by_label("Walls").select_option("auto")
    page.get_by_role("button", name="Save").click()
    expect(warning).to_have_count(0)
