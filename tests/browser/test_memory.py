"""The memory pages in a real browser: correcting the table, and the graph with its list."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import Person
from memory import types
from memory.models import Association, InboxItem, Memory
from memory.services.saving import save_memory
from messaging.services.conversations import start_conversation
from spacebot_site.demo_memory import fill_memory
from tests.browser.conftest import OpenAs, check_accessible
from tests.browser.test_access import check_fits
from tests.factories import Team


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def know(team: Team, content: str, **more: Any) -> Memory:
    person = Person.objects.get(organization=team.organization, user=team.member.user)
    saved = save_memory(
        organization_id=team.organization.pk, agent_id=team.agent.pk, type="fact", content=content,
        heard_by=more.pop("heard_by", types.person(person.pk)), **more,
    )  # fmt: skip
    assert saved.memory is not None
    return saved.memory


@pytest.fixture
def pages(team: Team) -> list[str]:
    """Each memory page with something in it."""
    old = know(team, "The release is on Thursday.", pinned=True)
    know(team, "The launch happens next Monday at noon.", contradicts=[old.pk])
    know(team, "The office closes at six.", heard_by=types.ORGANIZATION)
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="Plan the release")
    paths = ["/memory/", "/memory/?q=nowhere", f"/memory/{old.pk}/", f"/memory/?drawer=/memory/{old.pk}/"]
    return [*paths, "/memory/graph/", "/memory/inbox/", f"/memory/told/?conversation={chat.pk}"]


def go(page: Any, path: str) -> None:
    page.goto(path)
    if "drawer" in path:
        expect(page.locator("#drawer .memory-body")).to_be_visible()
    if "graph" in path:
        expect(page.locator("#graph-list button").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_memory_page_is_accessible(scheme: str, team: Team, pages: list[str], open_as: OpenAs) -> None:
    page = open_as(team.member, scheme=scheme)
    for path in pages:
        go(page, path)
        check_accessible(page)


def test_every_memory_page_fits_a_narrow_phone(team: Team, pages: list[str], open_as: OpenAs) -> None:
    page = open_as(team.member, width=360, height=740)
    for path in pages:
        go(page, path)
        check_fits(page)
        check_accessible(page)


def test_a_line_is_edited_forgotten_and_restored_where_it_stands(team: Team, open_as: OpenAs) -> None:
    memory = know(team, "Mia likes green tea.")
    page = open_as(team.member, "/memory/")
    line = page.locator(f"#memory-{memory.pk}")
    line.get_by_role("button", name="Edit").click()
    field = line.get_by_label("What is known")
    expect(field).to_be_focused()
    check_accessible(page)
    field.fill("Mia likes black tea.")
    line.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("Mia likes black tea.")
    line.get_by_role("button", name="Pin").click()
    expect(line.get_by_role("button", name="Unpin")).to_be_visible()
    line.get_by_role("button", name="Forget").click()
    expect(line).to_contain_text("It can be restored.")
    line.get_by_role("button", name="Restore").click()
    expect(line.get_by_role("button", name="Forget")).to_be_visible()
    memory.refresh_from_db()
    assert (memory.content, memory.pinned, memory.forgotten_at) == ("Mia likes black tea.", True, None)
    line.get_by_role("link", name="Mia likes black tea.").click()
    expect(page.locator("#drawer")).to_contain_text("Mia likes green tea.")


def test_leaving_an_edit_changes_nothing(team: Team, open_as: OpenAs) -> None:
    memory = know(team, "Mia likes green tea.")
    page = open_as(team.member, "/memory/")
    line = page.locator(f"#memory-{memory.pk}")
    line.get_by_role("button", name="Edit").click()
    expect(line.get_by_label("What is known")).to_be_focused()
    line.get_by_label("What is known").fill("Something else.")
    page.keyboard.press("Escape")
    expect(line).to_contain_text("Mia likes green tea.")
    expect(line.locator("textarea")).to_have_count(0)


def test_the_graph_is_walked_by_keyboard_and_opens_on_demand(team: Team, open_as: OpenAs) -> None:
    tea, shop = know(team, "Mia likes green tea."), know(team, "The corner shop sells leaves.")
    Association.objects.create(organization=team.organization, source=tea, target=shop, relation="related_to")
    page = open_as(team.member, "/memory/graph/")
    expect(page.locator("#graph-count")).to_have_text("2 memories")
    page.get_by_placeholder("Find in the graph").fill("green")
    expect(page.locator("#graph-list button")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    chosen = page.locator("#graph-chosen")
    expect(chosen).to_contain_text("The corner shop sells leaves.")
    check_accessible(page)
    chosen.get_by_role("link", name="Open").click()
    expect(page.locator("#drawer")).to_contain_text("Hangs together with")


def test_a_graph_of_five_hundred_is_drawn_soon_and_stays_smooth(team: Team, open_as: OpenAs) -> None:
    fill_memory(team.member, team.agent.pk, count=520)
    page = open_as(team.member, "/memory/graph/?size=500")
    page.wait_for_selector("#graph[data-ready]", state="attached", timeout=15_000)
    expect(page.locator("#graph-count")).to_have_text("500 memories")
    box = page.locator("#graph-canvas").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.evaluate(
        "() => { window.frames_seen = 0; const tick = () => { window.frames_seen += 1; requestAnimationFrame(tick); }; tick(); }"
    )
    for step in range(20):
        page.mouse.wheel(0, 40 if step % 2 else -40)
        page.wait_for_timeout(50)
    assert page.evaluate("() => window.frames_seen") >= 10
    page.locator("#graph-list button").first.click()
    more = page.locator("#graph-chosen").get_by_role("button", name="Show")
    if more.count():
        more.click()
        expect(page.locator("#graph-count")).not_to_have_text("500 memories")


def test_a_pair_is_decided_with_one_button(team: Team, pages: list[str], open_as: OpenAs) -> None:
    item = InboxItem.objects.get()
    page = open_as(team.member, "/memory/inbox/")
    page.get_by_role("button", name="Keep this one (second)").click()
    expect(page.get_by_text("Nothing to decide")).to_be_visible()
    assert not Memory.objects.get(pk=item.first_id).is_live


def test_a_graph_that_cannot_be_read_says_so_and_tries_again(team: Team, open_as: OpenAs) -> None:
    know(team, "Mia likes green tea.")
    page = open_as(team.member)
    page.route("**/api/v1/memories/graph*", lambda route: route.fulfill(status=503, body="{}"))
    page.goto("/memory/graph/")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    page.unroute("**/api/v1/memories/graph*")
    again.click()
    expect(page.locator("#graph-list button")).to_have_count(1)


def test_a_memory_is_entered_by_hand_from_the_keyboard(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.member, "/memory/")
    page.get_by_role("link", name="New memory").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What is known")).to_be_focused()
    check_accessible(page)
    page.keyboard.type("Mia likes green tea.")
    page.locator("#dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".memory-table")).to_contain_text("Mia likes green tea.")
    assert Memory.objects.get().audience == "person"


def test_more_lines_join_the_table_and_the_place_stays(team: Team, open_as: OpenAs) -> None:
    fill_memory(team.member, team.agent.pk, count=100)
    page = open_as(team.member, "/memory/")
    lines = page.locator(".memory-row")
    expect(lines).to_have_count(40)
    more = page.get_by_role("link", name="Show more")
    more.scroll_into_view_if_needed()
    before = page.locator(".page-body").evaluate("(body) => body.scrollTop")
    more.click()
    expect(lines).to_have_count(80)
    expect(lines.nth(40).locator("a").first).to_be_focused()
    assert abs(page.locator(".page-body").evaluate("(body) => body.scrollTop") - before) < 5
    more.click()
    expect(lines).to_have_count(100)
    expect(more).to_have_count(0)
    lines.nth(90).get_by_role("link").first.click()
    expect(page.locator("#drawer .memory-body")).to_be_visible()


def test_filters_apply_at_once_and_stay_open(team: Team, open_as: OpenAs) -> None:
    know(team, "Mia likes green tea.")
    know(team, "The office closes at six.", heard_by=types.ORGANIZATION)
    page = open_as(team.member, "/memory/")
    page.get_by_text("More filters").click()
    page.get_by_label("Who may hear it").select_option("person")
    expect(page.locator(".memory-row")).to_have_count(1)
    expect(page.locator("#more-filters")).to_contain_text("1 set")
    check_accessible(page)
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".memory-row")).to_have_count(2)


def test_deciding_one_of_many_pairs_keeps_the_place(team: Team, open_as: OpenAs) -> None:
    first = know(team, "The release is on Thursday at noon.")
    for text in ("The release is on Monday at noon.", "Tea is served in the kitchen each day."):
        know(team, text, contradicts=[first.pk], even_if_similar=True)
    page = open_as(team.member, "/memory/inbox/")
    expect(page.locator("mark").filter(has_text="Monday")).to_be_visible()
    page.get_by_role("button", name="Keep both").first.click()
    outcome = page.get_by_role("status").filter(has_text="Both stay.")
    expect(outcome).to_be_focused()
    expect(page.get_by_role("button", name="Keep both")).to_have_count(1)
    check_accessible(page)


def test_erasing_for_good_asks_first(team: Team, open_as: OpenAs) -> None:
    memory = know(team, "Mia likes green tea.")
    page = open_as(team.member, f"/memory/{memory.pk}/")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Erase for good").click()
    assert Memory.objects.exists()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("Nothing is known yet")).to_be_visible()
    assert not Memory.objects.exists()
