"""What a worker saw, in a real browser: pictures beside their call in the run's page, at desk and phone width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from agents.models import ToolCall
from messaging.attachments import pictures
from tests.browser.conftest import OpenAs, check_accessible
from tests.browser.test_access import check_fits
from tests.factories import Team
from tests.web.test_run_pages import finished_worker

LOADED = "image => image.complete && image.naturalWidth > 0"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_stand_beside_their_call(
    scheme: str, team: Team, environment: dict[str, str], settings: Any, chromium: Any, open_as: OpenAs
) -> None:
    settings.SPACEBOT_HOME = Path(environment["SPACEBOT_HOME"])
    run = finished_worker(team)
    call = ToolCall.objects.get(run=run)
    ToolCall.objects.filter(pk=call.pk).update(name="browser_screenshot", result="Saved as browser/page.png.")
    page = chromium.new_page()
    page.set_content("<h1>Deploy day is Thursday</h1>")
    shot, tall = page.screenshot(), page.screenshot(clip={"x": 0, "y": 0, "width": 60, "height": 700})
    page.close()
    assert run.conversation_id is not None
    pictures.keep(team.organization.pk, run.conversation_id, run.pk, call.key, [shot, tall])
    for width in (1280, 360):
        page = open_as(team.member, f"/runs/{run.pk}/", scheme=scheme, width=width)
        shown = page.get_by_role("img", name="of browser_screenshot")
        expect(shown).to_have_count(2)
        for image in shown.all():
            image.scroll_into_view_if_needed()
            page.wait_for_function(LOADED, arg=image.element_handle())
        check_accessible(page)
        check_fits(page)
        answer = page.request.get(shown.first.get_attribute("src"))
        assert (answer.body(), answer.headers["content-type"]) == (shot, "image/png")
        assert answer.headers["x-content-type-options"] == "nosniff"
