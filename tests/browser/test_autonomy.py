"""Autonomy in a real browser: the dial is turned, an approved task is done, the queue lives, the switch tells its time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from agents.autonomy import starting
from agents.models import Autonomy, Run, RunKind
from spacebot_site.demo_autonomy import fill_autonomy
from tasks.authors import by_person
from tasks.models import Task, Wake
from tasks.services import board, moves
from tasks.services.wakes.ringing import fire
from tasks.snapshots import Holder
from tests.browser.conftest import OpenAs, Program, check_accessible, new_page
from tests.browser.test_access import check_fits
from tests.factories import Team

PAGE, ALL = "/agents/spacebot/autonomy/", "/settings/autonomy/"


@pytest.fixture
def approved(team: Team) -> Task:
    """A task of the agent that a moderator asked for and made ready."""
    person = by_person(team.moderator)
    task = board.create_task(
        person, title="Write a file notes.txt saying hello", assignee=Holder("agent", team.agent.pk)
    )
    return moves.move_task(person, task.number, "ready")


def test_an_agent_let_act_does_an_approved_task_and_says_so(
    team: Team, approved: Task, open_as: OpenAs, ticking: Program
) -> None:
    page = open_as(team.admin, PAGE)
    expect(page.locator(".state-line")).to_contain_text("its level is off")
    with new_page(page):
        page.get_by_role("button", name="Act").click()
    expect(page.get_by_role("button", name="Act")).to_have_attribute("aria-pressed", "true")
    history = page.locator("#autonomy-work")
    expect(history).to_contain_text(f"Task #{approved.number}: A worker is on it", timeout=60_000)
    expect(history.get_by_role("link", name=f"#{approved.number}")).to_be_visible()
    expect(history).to_contain_text("succeeded", timeout=60_000)
    approved.refresh_from_db()
    assert approved.state == "done"
    history.locator("a.title").first.click()
    inspector = page.locator("#drawer .run")
    expect(inspector).to_contain_text("Why it began")
    expect(inspector).to_contain_text(f"task #{approved.number}")
    expect(inspector).to_contain_text("Your level is act")
    page.keyboard.press("Escape")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop now").click()
    expect(page.locator("#stop-result")).to_contain_text("to full stop")
    assert Autonomy.objects.get(agent=team.agent).paused_at is not None
    page.goto("/home/")
    expect(page.get_by_text("Paused:")).to_be_visible()


def test_the_stop_is_followed_until_nothing_is_left(team: Team, open_as: OpenAs) -> None:
    """A run that an administrator has no part in ends elsewhere, and the page hears of it."""
    from django.utils import timezone

    from agents.engine import endings

    now = timezone.now()
    run = Run.objects.create(
        organization=team.organization, agent=team.agent, kind=RunKind.WORKER, state="running", title="x", due_at=now,
        started_at=now, lease_owner="elsewhere", requester_user=team.member.user,
    )  # fmt: skip
    page = open_as(team.admin, ALL)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop all now").click()
    expect(page.locator("#stop-result")).to_contain_text("1 left")
    Run.objects.filter(pk=run.pk).update(state="cancelled", finished_at=timezone.now(), lease_owner="")
    endings.tell_of_stop(run)
    expect(page.locator("#stop-result")).to_contain_text("to full stop")
    expect(page.locator(".stop-figure")).to_have_text(re.compile(r"\d+(\.\d+)? m?s"))
    page.get_by_role("button", name="Resume all").click()
    expect(page.get_by_text("Agents may work by themselves")).to_be_visible()


def test_the_queue_is_live_and_a_webhook_is_made_and_used(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.admin, PAGE)
    with new_page(page):
        page.get_by_role("button", name="Observe").click()
    page.get_by_role("link", name="Add a wake").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("link", name="By the calendar").click()
    expect(dialog.get_by_label("When")).to_be_visible()
    dialog.get_by_role("link", name="By a request from outside").click()
    expect(dialog.get_by_label("Every request must be signed")).to_be_visible()
    dialog.get_by_label("Name").fill("Orders")
    dialog.get_by_role("button", name="Add").click()
    address = page.locator("#hook-address").inner_text().strip()
    answer = page.request.post(address, data='{"order": 7}', headers={"Content-Type": "application/json"})
    assert answer.status == 202
    page.get_by_role("link", name="Done").click()
    queue = page.locator("#queue")
    queue.get_by_text("Orders").click()
    expect(queue).to_contain_text('{"order": 7}')
    fire(Wake.objects.get(name="Orders").pk, payload={"order": 8})
    expect(queue).to_contain_text("2 times")
    expect(queue).to_contain_text('{"order": 8}')


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_autonomy_are_accessible_and_fit(scheme: str, team: Team, open_as: OpenAs) -> None:
    paths = _filled(team)
    for width in (1280, 360):
        page = open_as(team.admin, scheme=scheme, width=width)
        for path in paths:
            page.goto(path)
            check_accessible(page)
            check_fits(page)


def _filled(team: Team) -> list[str]:
    fill_autonomy(team.admin, team.agent)
    wake = Wake.objects.get(name="Orders from the shop")
    starting.start_one(team.agent.pk, now=Autonomy.objects.get(agent=team.agent).updated_at)
    run = Run.objects.filter(kind=RunKind.AUTONOMY).latest("pk")
    one = f"/agents/spacebot/wakes/{wake.pk}/"
    return [PAGE, ALL, one, "/agents/spacebot/wakes/new/", f"/runs/{run.pk}/"]
