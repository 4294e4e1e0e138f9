"""The schedule pages: what is shown to whom, what their forms do and refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from realtime.services import unit_of_work
from tasks.models import Schedule, ScheduleState
from tasks.services.schedules import acts, clock
from tasks.services.schedules.editing import propose_schedule
from tasks.services.schedules.fields import When
from tests.factories import Team
from tests.tasks.timetable import make
from tests.web.conftest import SignIn


@pytest.fixture
def chat(team: Team) -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="Plans")


def propose(team: Team, chat: Conversation, phrase: str = "every hour") -> Schedule:
    with unit_of_work():
        return propose_schedule(
            chat, team.member.user, prompt="Look.", when=When(phrase=phrase), run_id=1, key="k"
        )


def form(chat: Conversation, **more: Any) -> dict[str, Any]:
    return {"conversation": chat.pk, "prompt": "Look.", "when": "every day at 8", "time_zone": "UTC", **more}


def test_a_proposal_waits_on_home_in_the_chat_and_in_the_list(
    team: Team, chat: Conversation, sign_in: SignIn
) -> None:
    schedule = propose(team, chat)
    browser = sign_in(team.member)
    for path in ("/home/", f"/chat/{chat.pk}/", "/schedule/", f"/schedule/{schedule.pk}/"):
        assert "Look." in browser.get(path).content.decode(), path
    assert "Confirm" in browser.get(f"/schedule/{schedule.pk}/card/").content.decode()
    browser.post(f"/schedule/{schedule.pk}/", {"act": "confirm"})
    schedule.refresh_from_db()
    assert schedule.state == ScheduleState.ACTIVE


def test_a_time_that_passed_before_it_was_confirmed_is_said(
    team: Team, chat: Conversation, sign_in: SignIn
) -> None:
    schedule = propose(team, chat, "in 5 minutes")
    Schedule.objects.filter(pk=schedule.pk).update(once_at=timezone.now() - timedelta(hours=1))
    answer = sign_in(team.member).post(f"/schedule/{schedule.pk}/", {"act": "confirm"}, follow=True)
    assert "Its time has passed" in answer.content.decode()


def test_others_see_nothing_of_it(team: Team, rivals: Team, chat: Conversation, sign_in: SignIn) -> None:
    schedule = make(team, chat)
    for stranger in (team.owner, team.other_member, rivals.owner):
        browser = sign_in(stranger)
        assert "Look." not in browser.get("/schedule/").content.decode()
        for path in ("", "edit/", "card/"):
            assert browser.get(f"/schedule/{schedule.pk}/{path}").status_code == 404
        assert browser.post(f"/schedule/{schedule.pk}/", {"act": "delete"}).status_code == 404


def test_the_ledger_says_why_it_did_not_run(team: Team, chat: Conversation, sign_in: SignIn) -> None:
    now = timezone.now() - timedelta(minutes=143)  # The 21st time is minutes away.
    schedule = make(team, chat, "every 7 minutes", now=now)
    acts.pause(team.member, schedule.pk, now=now)
    page = sign_in(team.member).get(f"/schedule/{schedule.pk}/").content.decode()
    assert "It was paused" in page
    assert "20 times" in page


def test_the_form_makes_changes_and_names_what_is_wrong(
    team: Team, chat: Conversation, sign_in: SignIn
) -> None:
    browser = sign_in(team.member)
    wrong = browser.post("/schedule/new/", form(chat, when="whenever")).content.decode()
    assert "I cannot read" in wrong
    assert "Look." in wrong
    browser.post("/schedule/new/", form(chat))
    schedule = Schedule.objects.get()
    assert (schedule.expression, schedule.timeout_s) == ("0 8 * * *", 1_500)
    browser.post(
        f"/schedule/{schedule.pk}/edit/", form(chat, name="News", when="every day at 9", timeout_min="5")
    )
    schedule.refresh_from_db()
    assert (schedule.name, schedule.expression, schedule.timeout_s) == ("News", "0 9 * * *", 300)


def test_saving_the_form_unchanged_does_not_move_an_interval(
    team: Team, chat: Conversation, sign_in: SignIn
) -> None:
    schedule = make(team, chat, "every 7 minutes", now=timezone.now() - timedelta(minutes=3))
    browser = sign_in(team.member)
    values = browser.get(f"/schedule/{schedule.pk}/edit/").context["values"]
    browser.post(f"/schedule/{schedule.pk}/edit/", {**values, "name": "Other"})
    after = Schedule.objects.get()
    assert after.name == "Other"
    assert (after.anchor_at, after.next_due_at) == (schedule.anchor_at, schedule.next_due_at)


def test_the_list_and_the_ledger_cost_the_same_however_long_they_are(
    team: Team, chat: Conversation, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now() - timedelta(minutes=30)
    schedules = [make(team, chat, now=now, overlap="parallel") for _ in range(20)]
    for minute in range(30):
        clock.tick(now=now + timedelta(minutes=minute))
    browser = sign_in(team.member)
    with django_assert_max_num_queries(12):
        browser.get("/schedule/")
    with django_assert_max_num_queries(14):
        browser.get(f"/schedule/{schedules[0].pk}/")
