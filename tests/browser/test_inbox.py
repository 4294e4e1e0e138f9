"""The inbox in a real browser: a tool call, a task, a goal and a schedule wait side by side, and two doors stay in step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from agents.models import Policy, ToolPolicy
from messaging.services.conversations import add_participant, start_conversation
from realtime.services import unit_of_work
from tasks.models import Approval, Goal, Schedule, Task
from tasks.services import goals
from tasks.services.board import create_task, edit_task
from tasks.services.schedules.editing import propose_schedule
from tasks.services.schedules.fields import When
from tests.browser.conftest import OpenAs, Program, check_accessible, hears, new_page
from tests.browser.test_access import check_fits
from tests.factories import Team
from tests.tasks.conftest import agent_of

PICTURES = os.environ.get("SPACEBOT_PICTURES", "")


def picture(page: Any, name: str) -> None:
    """Keep what the page looks like, for whoever wants to see it."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def fill(team: Team) -> Schedule:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="group", title="Office")
    add_participant(team.member, chat.pk, user_id=team.moderator.user.pk)
    agent = agent_of(team)
    create_task(agent, title="Write the release notes", description="From the log.\nShort.")
    goals.create_goal(agent, title="Fewer late deliveries", description="Below 2 % in March.")
    with unit_of_work():
        return propose_schedule(
            chat, team.member.user, prompt="Sum up what is new.", when=When(phrase="every weekday at 9"),
            run_id=1, key="k",
        )  # fmt: skip


def test_all_that_needs_a_person_is_decided_in_one_place(
    team: Team, open_as: OpenAs, worker: Program
) -> None:
    ToolPolicy.objects.create(organization=team.organization, tool="write_file", policy=Policy.ASK)
    schedule = fill(team)
    page = open_as(team.moderator, "/approvals/")
    rows = page.locator(".approval-row")
    expect(rows).to_have_count(3)
    page.locator(".rail .badge", has_text="3").first.wait_for()
    check_accessible(page)

    other = open_as(team.moderator, "/home/")
    chat = start_conversation(team.moderator, agent_id=team.agent.pk, kind="dm")
    other.goto(f"/chat/{chat.pk}/")
    other.fill("#text", "Write a file notes.txt saying hi")
    other.keyboard.press("Enter")
    expect(rows).to_have_count(4)

    edit_task(agent_of(team), Task.objects.get().number, description="From the log.\nLong.")
    asked = Approval.objects.get(task__isnull=False, state="open")
    page.locator(f'.approval-row a[href="/approvals/{asked.pk}/"]').click()
    drawer = page.locator("#drawer")
    drawer.get_by_text("What changed since it was asked").wait_for()
    assert "+Long." in drawer.inner_text()
    check_accessible(page)
    picture(page, "inbox-task-drawer")
    drawer.locator("select[name=choice]").select_option("backlog")
    drawer.get_by_role("button", name="Approve", exact=True).click()
    drawer.get_by_text("is on the board, backlog").wait_for()
    drawer.locator("[data-drawer-close]").click()
    drawer.wait_for(state="hidden")
    expect(rows).to_have_count(3)

    for name in ("Fewer late deliveries", "Sum up what is new"):
        page.get_by_label(f"Choose {name}").check()
    with new_page(page):
        page.get_by_role("button", name="Approve chosen").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Approve").click()
    page.get_by_text("Nothing waits for you").wait_for()
    schedule.refresh_from_db()
    assert (Task.objects.get().state, Goal.objects.get().status, schedule.state) == (
        "backlog",
        "active",
        "active",
    )
    assert set(Approval.objects.values_list("state", flat=True)) == {"executed", "withdrawn"}


def test_a_decision_on_the_board_empties_an_open_inbox(team: Team, open_as: OpenAs) -> None:
    fill(team)
    inbox = open_as(team.moderator, "/approvals/?kind=task")
    notices = open_as(team.moderator, "/notices/")
    expect(inbox.locator(".approval-row")).to_have_count(1)
    notices.get_by_text("Task waits for your decision").wait_for()
    board = open_as(team.member, "/board/")
    card = board.locator(".task-card", has_text="Write the release notes")
    card.focus() if card.get_attribute("tabindex") else card.locator(".task-card-title").focus()
    board.keyboard.press("Shift+ArrowRight")
    expect(board.locator("[data-state=backlog] .task-card")).to_have_count(1)
    expect(inbox.locator(".approval-row")).to_have_count(0)
    expect(notices.get_by_text("Task waits for your decision")).to_have_count(0)
    assert Task.objects.get().decided_by == team.member.user


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_it_fits_and_reads_at_desk_and_phone(team: Team, open_as: OpenAs, width: int, scheme: str) -> None:
    schedule = fill(team)
    approval = Approval.objects.get(task__isnull=False)
    goal = Goal.objects.get()
    page = open_as(team.moderator, "/approvals/", width=width, scheme=scheme)
    for name, path in (
        ("inbox", "/approvals/"), ("approval", f"/approvals/{approval.pk}/"), ("home", "/home/"),
        ("goal", f"/goals/{goal.pk}/"), ("schedule", f"/schedule/{schedule.pk}/"), ("notices", "/notices/"),
        ("task", "/tasks/1/"), ("chart", "/agents/chart/"),
    ):  # fmt: skip
        page.goto(path)
        hears(page)
        check_fits(page)
        check_accessible(page)
        picture(page, f"{name}-{width}-{scheme}")
