"""Schedules in a real browser: said, confirmed, watched, paused; the ledger; the form with its preview; access."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from messaging.services.conversations import start_conversation
from tasks.models import Firing, Schedule
from tasks.services.schedules import clock as schedule_clock
from tests.browser.conftest import OpenAs, Program, check_accessible
from tests.browser.test_access import check_fits
from tests.factories import Team
from tests.tasks.timetable import NOW, expand, finish, make

SHORT_S = 2


def shorten(schedule: Schedule) -> None:
    """Make the minute two seconds long, from now on."""
    now = timezone.now()
    Schedule.objects.filter(pk=schedule.pk).update(
        interval_s=SHORT_S, anchor_at=now, next_due_at=now + timedelta(seconds=SHORT_S), overlap="wait"
    )


def wait_for(count: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if Firing.objects.filter(execution="succeeded", delivery="delivered").count() >= count:
            return
        time.sleep(0.2)
    raise AssertionError(f"only {list(Firing.objects.values('execution', 'delivery', 'failure'))}")


def test_a_sentence_is_confirmed_fires_twice_survives_a_restart_and_is_paused(
    team: Team, open_as: OpenAs, ticking: Program
) -> None:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    page = open_as(team.member, f"/chat/{chat.pk}/")
    page.get_by_label("Message to Spacebot").fill("every minute write the time to clock.txt")
    page.keyboard.press("Enter")
    card = page.locator(".schedule-card")
    expect(card).to_contain_text("Every minute · next")
    schedule = Schedule.objects.get()
    assert (schedule.state, schedule.interval_s) == ("proposed", 60)
    check_accessible(page)
    card.get_by_role("button", name="Confirm").click()
    expect(card.get_by_role("button", name="Pause")).to_be_visible()
    shorten(schedule)
    expect(page.get_by_text("I wrote clock.txt").first).to_be_visible()
    ticking.stop()
    time.sleep(2 * SHORT_S)
    ticking.start()
    before = Firing.objects.filter(execution="succeeded").count()
    wait_for(before + 2)
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Paused")
    until = time.monotonic() + 20
    while (
        Firing.objects.filter(execution__in=["waiting", "queued", "running"]).exists()
        and time.monotonic() < until
    ):
        time.sleep(0.2)
    fired = Firing.objects.filter(decision="fired").count()
    time.sleep(3 * SHORT_S)
    assert Firing.objects.filter(decision="fired").count() == fired
    card.get_by_role("link", name="write the time to clock.txt").click()
    expect(page.get_by_role("heading", name="Ledger")).to_be_visible()
    expect(page.locator(".ledger")).to_contain_text("It was paused")
    expect(page.locator(".ledger")).to_contain_text("Delivered")
    instants = [instant for instant, _ in expand(Schedule.objects.get())]
    gaps = {later - earlier for earlier, later in pairwise(instants)}
    assert gaps == {timedelta(seconds=SHORT_S)}
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Resumed.")).to_be_visible()


@pytest.fixture
def planned(team: Team) -> Schedule:
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="Plans")
    schedule = make(team, chat, "every hour", misfire="all")
    schedule_clock.tick(now=NOW + timedelta(hours=30))
    for line in Firing.objects.filter(execution="queued"):
        finish(line)
    return schedule


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_schedule_page_is_accessible(
    scheme: str, team: Team, planned: Schedule, open_as: OpenAs
) -> None:
    page = open_as(team.member, scheme=scheme)
    for path in pages_of(planned):
        page.goto(path)
        check_accessible(page)


def test_every_schedule_page_fits_a_narrow_phone(team: Team, planned: Schedule, open_as: OpenAs) -> None:
    page = open_as(team.member, width=360, height=740)
    for path in pages_of(planned):
        page.goto(path)
        check_fits(page)
        check_accessible(page)


def pages_of(schedule: Schedule) -> list[str]:
    one = f"/schedule/{schedule.pk}/"
    return ["/schedule/", "/schedule/new/", one, f"{one}edit/"]


def test_the_form_shows_the_next_times_while_one_writes(team: Team, open_as: OpenAs) -> None:
    start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="Plans")
    page = open_as(team.member, "/schedule/new/")
    page.get_by_label("What to do").fill("Sum up what is new.")
    when = page.get_by_label("When", exact=True)
    when.fill("every weekday at nine")
    shown = page.locator("#when-preview")
    expect(shown).to_contain_text("Every weekday at 09:00 (UTC)")
    expect(shown.get_by_role("listitem")).to_have_count(3)
    when.fill("whenever")
    expect(shown).to_contain_text("cannot read")
    when.fill("0 7 * * 7")
    expect(shown).to_contain_text("Every Sunday at 07:00")
    page.get_by_label("Answers in").select_option(label="Plans")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Every Sunday at 07:00 (UTC)")).to_be_visible()
    assert Schedule.objects.get().expression == "0 7 * * 7"


def test_the_list_is_live(team: Team, open_as: OpenAs, planned: Schedule) -> None:
    from tasks.services.schedules import acts

    page = open_as(team.member, "/schedule/")
    expect(page.locator(".schedule-row")).to_contain_text("Active")
    acts.pause(team.member, planned.pk)
    expect(page.locator(".schedule-row")).to_contain_text("Paused")
