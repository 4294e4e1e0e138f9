"""Board, task and goal pages in a real browser: moving by hand and by key, two who write at once, the first minute."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from messaging.services.conversations import start_conversation
from tasks.authors import by_person
from tasks.models import Task
from tasks.services.board import create_task, edit_task
from tasks.services.comments import add_comment
from tasks.services.goals import create_goal
from tasks.services.moves import move_task
from tasks.snapshots import Holder
from tests.browser.conftest import OpenAs, Program, check_accessible, new_page
from tests.browser.test_access import check_fits
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task


@pytest.fixture
def pages(team: Team) -> list[str]:
    """Each page of the board with something in it."""
    goal = create_goal(by_person(team.moderator), title="Ship it", description="**Done when** it is out.")
    first = person_task(team.member, "Decide", goal_id=goal.pk, state="ready", priority="critical")
    task = person_task(
        team.member, "Write the notes", goal_id=goal.pk, state="ready", needs=[first.number],
        description="Some *Markdown*.", subtasks=[{"title": "one", "done": True}, {"title": "two"}],
        assignee=Holder("agent", team.agent.pk), skills=["writing"],
    )  # fmt: skip
    move_task(by_person(team.member), first.number, "blocked", reason="Nobody knows yet")
    add_comment(by_person(team.owner), task.number, "I prefer `plan A`.")
    edit_task(by_person(team.member), task.number, description="Some *other* Markdown.")
    create_task(agent_of(team), title="Tidy up", assignee=Holder("agent", team.agent.pk))
    path = f"/tasks/{task.number}/"
    return [
        "/board/", "/board/?q=nowhere", f"/board/?drawer={path}", path, f"{path}?part=edit", "/tasks/3/", "/goals/",
        "/goals/?tab=closed", f"/goals/{goal.pk}/", "/tasks/new/", "/goals/new/", "/home/",
    ]  # fmt: skip


def go(page: Any, path: str) -> None:
    page.goto(path)
    if "drawer" in path:
        expect(page.locator("#drawer .task-layout")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_board_is_accessible(
    scheme: str, team: Team, pages: list[str], open_as: OpenAs
) -> None:
    page = open_as(team.member, scheme=scheme)
    for path in pages:
        go(page, path)
        check_accessible(page)


def test_every_page_of_the_board_fits_a_narrow_phone(team: Team, pages: list[str], open_as: OpenAs) -> None:
    page = open_as(team.member, width=360, height=740)
    for path in pages:
        go(page, path)
        check_fits(page)
        check_accessible(page)


def test_a_card_is_moved_by_hand_and_by_key_and_others_see_it(team: Team, open_as: OpenAs) -> None:
    task = person_task(team.member, "Carry me", description="x")
    theirs = open_as(team.other_member, "/board/")
    expect(theirs.locator('[data-state="backlog"] .task-card')).to_have_count(1)
    expect(theirs.locator("#connection")).to_have_attribute("data-state", "connected")
    page = open_as(team.member, "/board/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "connected")
    card = page.locator(f"#card-{task.number}")
    card.drag_to(page.locator('.board-column[data-state="ready"]'))
    expect(page.locator('.board-column[data-state="ready"]').locator(card)).to_be_visible()
    expect(theirs.locator('.board-column[data-state="ready"] .task-card')).to_have_count(1)
    card.get_by_role("link").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator('.board-column[data-state="in_progress"]').locator(card)).to_be_visible()
    expect(card.get_by_role("link")).to_be_focused()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator('.board-column[data-state="ready"]').locator(card)).to_be_visible()
    card.locator("summary").click()
    card.get_by_role("button", name="Done").click()
    expect(page.locator('.board-column[data-state="done"]').locator(card)).to_be_visible()
    assert Task.objects.get().state == "done"


def test_a_card_goes_nowhere_for_those_who_may_not_move_it(team: Team, open_as: OpenAs) -> None:
    task = create_task(agent_of(team), title="Proposed")
    page = open_as(team.other_member, "/board/")
    card = page.locator(f"#card-{task.number}")
    expect(card).to_be_visible()
    expect(card.locator("summary")).to_have_count(0)
    assert card.get_attribute("draggable") is None


def test_two_who_write_at_once_see_each_other(team: Team, open_as: OpenAs) -> None:
    task = person_task(team.member, "Notes", description="first line")
    page = open_as(team.member, f"/tasks/{task.number}/")
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_role("textbox", name="Title")).to_be_focused()
    page.get_by_role("textbox", name="Description").fill("my line")
    edit_task(by_person(team.moderator), task.number, description="their line")
    expect(page.get_by_text("This task was changed meanwhile")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this meanwhile")
    expect(page.locator(".diff-new")).to_contain_text("their line")
    expect(page.get_by_role("textbox", name="Description")).to_have_value("my line")
    check_accessible(page)
    with new_page(page):
        page.get_by_role("button", name="Save over it").click()
    expect(page.locator("#task-spec")).to_contain_text("my line")
    page.locator("#revision-3 summary").click()
    expect(page.locator("#diff-3")).to_contain_text("my line")


def test_the_first_minute_a_proposal_in_chat_is_approved_started_and_done(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="Work")
    page = open_as(team.member, f"/chat/{chat.pk}/")
    page.get_by_role("textbox").last.fill("task: write a file notes.txt saying hello")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Task #1 waits for your approval").first).to_be_visible()
    page.goto("/home/")
    page.locator(".home-side").locator('a[href^="/approvals/"]', has_text="Write a file").first.click()
    drawer = page.locator("#drawer")
    drawer.get_by_role("button", name="Approve").first.click()
    expect(drawer.get_by_role("button", name="Approve")).to_have_count(0)
    page.goto("/tasks/1/")
    page.get_by_role("button", name="Start Spacebot").click()
    expect(page.locator("#task-side")).to_contain_text("I wrote notes.txt")
    expect(page.locator(".task-state")).to_contain_text("Done")
