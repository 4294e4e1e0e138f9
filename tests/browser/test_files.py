"""The page of files in a real browser: dropped, chosen by keyboard, followed live, tried again, removed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.services.people import person_for_user
from memory.ingestion import claims, news
from memory.ingestion.work import NEEDS_MODEL
from memory.models import FileState, IngestedFile
from realtime.services import unit_of_work
from tests.browser.conftest import OpenAs, check_accessible, new_page
from tests.browser.test_access import check_fits
from tests.factories import Team

DROP = """([text, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const zone = document.getElementById("file-drop");
  const event = { dataTransfer: data, bubbles: true, cancelable: true };
  for (const kind of ["dragenter", "dragover", "drop"]) zone.dispatchEvent(new DragEvent(kind, event));
}"""

LISTEN = """() => {
  window.heard = [];
  document.addEventListener("live:event", (event) => window.heard.push(event.detail.kind));
}"""


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def known_file(team: Team, **fields: Any) -> IngestedFile:
    given = {
        "name": "handbook.pdf",
        "digest": "d",
        "size_bytes": 2_048,
        "media_type": "application/pdf",
        **fields,
    }
    return IngestedFile.objects.create(organization=team.organization, agent_id=team.agent.pk, **given)


@pytest.fixture
def every_state(team: Team) -> list[IngestedFile]:
    states: list[dict[str, Any]] = [
        {"state": "queued"},
        {"state": "reading"},
        {"state": "extracting", "chunks_total": 40, "chunks_done": 12, "memories": 31},
        {"state": "extracting", "chunks_total": 3, "reason": NEEDS_MODEL},
        {
            "state": "done",
            "chunks_total": 3,
            "chunks_done": 3,
            "memories": 7,
            "notice": "Page 3 could not be read.",
        },
        {"state": "failed", "reason": "It holds no text."},
    ]
    rows = [
        known_file(team, digest=str(at), name=f"file {at}.pdf", **fields) for at, fields in enumerate(states)
    ]
    own = person_for_user(team.organization, team.admin.user)
    return [*rows, known_file(team, digest="own", name="diary-" + "x" * 120 + ".txt", audience_person=own)]


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 390)]
)
def test_files_in_every_state_are_accessible_and_fit(
    scheme: str, width: int, team: Team, every_state: list[IngestedFile], open_as: OpenAs
) -> None:
    page = open_as(team.admin, scheme=scheme, width=width)
    one = f"/memory/files/{every_state[2].pk}/"
    for path in (
        "/memory/files/",
        "/memory/files/?state=done",
        one,
        f"{one}?part=remove",
        f"/memory/files/?drawer={one}",
    ):
        page.goto(path)
        if "drawer" in path:
            expect(page.locator("#drawer .file-body")).to_be_visible()
        check_accessible(page)
        if width < 760:
            check_fits(page)


def test_a_dropped_file_appears_and_is_known_the_second_time(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.moderator, "/memory/files/")
    expect(page.get_by_text("No files yet")).to_be_visible()
    page.evaluate(DROP, ["The office is in Ulm.", "plan.md"])
    expect(page.locator("#file-uploads")).to_contain_text("It waits for its turn.")
    expect(page.locator("#files")).to_contain_text("plan.md")
    expect(page.get_by_text("No files yet")).to_be_hidden()
    check_accessible(page)
    page.evaluate(DROP, ["The office is in Ulm.", "other.md"])
    expect(page.locator("#file-uploads")).to_contain_text("Known already as “plan.md”")
    assert IngestedFile.objects.count() == 1


def test_files_are_chosen_by_keyboard_for_oneself_alone(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.moderator, "/memory/files/")
    page.get_by_label("Only me").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.locator("#file-input")).to_be_focused()
    page.locator("#file-input").set_input_files(
        [
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"one"},
            {"name": "b.exe", "mimeType": "x/y", "buffer": b"two"},
        ]
    )
    expect(page.locator("#files .file-row")).to_have_count(1)
    expect(page.locator("#files")).to_contain_text("Only you")
    expect(page.locator("#file-uploads .problem")).to_have_count(1)
    assert IngestedFile.objects.get().audience_person is not None


def test_too_large_and_empty_files_are_not_even_sent(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.moderator, "/memory/files/")
    page.evaluate("() => { document.getElementById('file-give').dataset.most = '3'; }")
    for text, words in (("four", "larger than 20 MB"), ("", "It is empty")):
        page.evaluate(DROP, [text, "a.txt"])
        expect(page.locator("#file-uploads")).to_contain_text(words)
    assert not IngestedFile.objects.exists()


def test_the_bar_moves_by_events_and_nothing_is_asked_for(team: Team, open_as: OpenAs) -> None:
    file = known_file(team, state="extracting", chunks_total=4)
    page = open_as(team.member, "/memory/files/")
    line = page.locator(f"#file-{file.pk}")
    held = claims.claim(file.pk)
    assert held is not None
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    held.write(chunks_done=1, memories=2)
    expect(line.locator("[data-pieces]")).to_have_text("1 of 4 pieces")
    held.write(chunks_done=2, memories=3)
    expect(line.locator("progress")).to_have_attribute("value", "2")
    expect(line).to_contain_text("3 memories")
    assert asked == []
    line.get_by_role("link", name="memories").focus()
    claims.finish(held)
    expect(line.get_by_text("Read", exact=True)).to_be_visible()
    expect(line.get_by_role("link", name="memories")).to_be_focused()


def test_an_older_line_does_not_set_the_bar_back(team: Team, open_as: OpenAs) -> None:
    """A line that was asked for before the newest figures were heard arrives after them."""
    file = known_file(team, state="queued", chunks_total=4)
    page = open_as(team.member, "/memory/files/")
    late: list[Any] = []

    def hold(route: Any) -> None:
        late.append((route, route.fetch()))

    page.route(f"**/memory/files/{file.pk}/?part=row", hold)
    held = claims.claim(file.pk)
    assert held is not None
    held.write(state=FileState.EXTRACTING, chunks_done=1)
    expect(page.locator("[data-pieces]")).to_have_text("1 of 4 pieces")
    until = time.monotonic() + 60
    while not late and time.monotonic() < until:
        page.wait_for_timeout(50)
    page.evaluate(LISTEN)
    held.write(chunks_done=2)
    page.wait_for_function("() => window.heard.length")
    route, answer = late[0]
    route.fulfill(response=answer)
    expect(page.locator("#files").get_by_text("Being read")).to_be_visible()
    expect(page.locator("[data-pieces]")).to_have_text("2 of 4 pieces")
    page.unroute_all(behavior="ignoreErrors")


def test_a_file_kept_to_another_is_not_heard_of(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.member, "/memory/files/")
    page.evaluate(LISTEN)
    own = person_for_user(team.organization, team.admin.user)
    for person in (own, None):
        with unit_of_work():
            news.tell(known_file(team, digest=str(person), audience_person=person).pk)
    expect(page.locator("#files .file-row")).to_have_count(1)
    assert page.evaluate("() => window.heard.length") == 1


def test_a_failed_file_is_tried_again_and_removed_after_a_question(team: Team, open_as: OpenAs) -> None:
    file = known_file(team, state="failed", reason="It holds no text.", chunks_total=1)
    page = open_as(team.moderator, "/memory/files/")
    with new_page(page):
        page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("is tried again")).to_be_visible()
    file.refresh_from_db()
    assert file.state == FileState.EXTRACTING
    page.get_by_role("link", name="Remove handbook.pdf").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Stays known")).to_be_focused()
    check_accessible(page)
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("handbook.pdf was removed.")).to_be_visible()
    expect(page.get_by_text("No files yet")).to_be_visible()


def test_a_file_removed_elsewhere_leaves_the_list(team: Team, open_as: OpenAs) -> None:
    file = known_file(team)
    page = open_as(team.member, "/memory/files/")
    with unit_of_work():
        news.tell(file.pk, state=news.REMOVED)
    expect(page.locator("#files .file-row")).to_have_count(0)
    expect(page.get_by_text("No files yet")).to_be_visible()
