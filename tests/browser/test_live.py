"""What happens elsewhere reaches an open page without taking anything out of its reader's hands."""

from __future__ import annotations

import json
import time
from typing import Any

from playwright.sync_api import expect

from messaging.services.conversations import start_conversation
from tasks.authors import by_person
from tasks.models import Approval
from tasks.services.approvals.deciding import decide
from tasks.services.board import create_task, edit_task
from tasks.services.schedules import acts
from tests.browser.conftest import OpenAs
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task
from tests.tasks.timetable import make

LATER_MS = 500


def test_a_link_that_is_pressed_while_its_part_is_read_again_is_followed(team: Team, open_as: OpenAs) -> None:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="Plans")
    schedule = make(team, chat, "every hour")
    page = open_as(team.member, "/schedule/")
    row = page.locator(".schedule-row")
    row.hover()
    page.mouse.down()
    with page.expect_response("**/schedule/"):
        acts.pause(team.member, schedule.pk)
    page.wait_for_timeout(LATER_MS)
    expect(row).to_contain_text("Active")
    page.mouse.up()
    page.wait_for_url(f"**/schedule/{schedule.pk}/")
    page.goto("/schedule/")
    row.hover()
    page.mouse.down()
    with page.expect_response("**/schedule/"):
        acts.resume(team.member, schedule.pk)
    page.mouse.move(1, 1)
    page.mouse.up()
    expect(row).to_contain_text("Active")


def test_a_menu_that_is_opened_while_the_board_is_read_stays_open(team: Team, open_as: OpenAs) -> None:
    task = person_task(team.member, "Carry me", description="x")
    page = open_as(team.member, "/board/")
    card = page.locator(f"#card-{task.number}")
    late: list[Any] = []
    page.route("**/board/", lambda route: late.append(route))
    with page.expect_request("**/board/"):
        edit_task(by_person(team.member), task.number, title="Carry it")
    until = time.monotonic() + 60
    while not late and time.monotonic() < until:
        page.wait_for_timeout(50)
    card.locator("summary").click()
    with page.expect_response("**/board/"):
        late[0].continue_()
    page.unroute("**/board/")
    page.wait_for_timeout(LATER_MS)
    expect(card.get_by_role("button", name="Done")).to_be_visible()
    expect(card).to_contain_text("Carry me")
    page.keyboard.press("Escape")
    expect(card).to_contain_text("Carry it")


def test_what_a_revision_changed_stays_open_when_others_are_made(team: Team, open_as: OpenAs) -> None:
    person = by_person(team.member)
    task = person_task(team.member, "Carry me", description="one word")
    edit_task(person, task.number, description="two words")
    page = open_as(team.member, f"/tasks/{task.number}/")
    page.locator("#revision-2 summary").click()
    expect(page.locator("#diff-2")).to_contain_text("two words")
    edit_task(person, task.number, description="three words")
    expect(page.locator("#revision-3")).to_be_attached()
    expect(page.locator("#diff-2")).to_contain_text("two words")


def test_what_was_chosen_in_the_drawer_stays_when_it_is_read_again(team: Team, open_as: OpenAs) -> None:
    create_task(agent_of(team), title="Write the release notes", description="Short.")
    approval = Approval.objects.get()
    page = open_as(team.moderator, f"/approvals/?drawer=/approvals/{approval.pk}/")
    drawer = page.locator("#drawer")
    drawer.locator("select[name=choice]").select_option("backlog")
    drawer.get_by_label("Comment").fill("Not before May.")
    drawer.get_by_label("Comment").blur()
    decide(team.owner, approval.pk, "ask_back", comment="For whom are they?")
    expect(drawer).to_contain_text("For whom are they?")
    expect(drawer.locator("select[name=choice]")).to_have_value("backlog")
    expect(drawer.get_by_label("Comment")).to_have_value("Not before May.")
    drawer.get_by_role("button", name="Ask back").click()
    expect(drawer.get_by_role("listitem").filter(has_text="Not before May.")).to_be_visible()
    expect(drawer.get_by_label("Comment")).to_have_value("")


def test_it_is_connected_when_the_server_listens(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.member)
    sockets: list[Any] = []
    page.route_web_socket("**/api/v1/events*", lambda socket: sockets.append(socket))
    page.goto("/home/")
    page.wait_for_timeout(LATER_MS)
    dot = page.locator("#connection")
    expect(dot).to_have_attribute("data-state", "reconnecting")
    sockets[0].send(json.dumps({"id": None, "kind": "ready", "payload": {"last": 0}}))
    expect(dot).to_have_attribute("data-state", "connected")
