from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.cortex import log, runner
from agents.models import Breaker, CortexJob, Profile
from messaging.models import Conversation
from tests.factories import Team
from tests.web.conftest import SignIn

PAGE = "/agents/spacebot/cortex/"


@pytest.fixture
def cut_off(team: Team) -> Breaker:
    now = timezone.now()
    return Breaker.objects.create(
        organization=team.organization, agent=team.agent, tool="write_file", state="open", failures=3, trips=1,
        opened_at=now, next_try_at=now + timedelta(minutes=1),
    )  # fmt: skip


def test_jobs_log_and_circuits_are_shown_to_administrators(
    team: Team, cut_off: Breaker, sign_in: SignIn
) -> None:
    runner.run_due()
    CortexJob.objects.filter(name="upkeep").update(failures=4)
    log.write(team.organization.pk, team.agent.pk, job="upkeep", event="done", text="Dropped <b>3</b> lines.")
    page = sign_in(team.admin).get(PAGE).content.decode()
    for shown in ("Supervision", "Associations", "4 failed", "write_file", "Switch on now"):
        assert shown in page
    assert "Dropped &lt;b&gt;3&lt;/b&gt; lines." in page
    assert sign_in(team.moderator).get(PAGE).status_code == 403


def test_before_the_first_pass_the_page_says_when_it_comes(team: Team, sign_in: SignIn) -> None:
    page = sign_in(team.admin).get(PAGE).content.decode()
    assert "Runs for the first time within half a minute" in page
    assert "Nothing to tell" in page


def test_the_log_turns_its_pages_and_can_be_narrowed(team: Team, sign_in: SignIn) -> None:
    for number in range(60):
        log.write(
            team.organization.pk, team.agent.pk, job="upkeep", event="e", text=f"line {number}.", alarm=number == 5
        )  # fmt: skip
    client = sign_in(team.admin)
    first = client.get(PAGE)
    assert "line 59." in first.content.decode()
    assert "line 5." not in first.content.decode()
    older = first.context["older"]
    assert "line 5." in client.get(f"{PAGE}?before={older}").content.decode()
    alarms = client.get(f"{PAGE}?alarms").content.decode()
    assert "line 5." in alarms
    assert "line 59." not in alarms


def test_a_tool_is_switched_on_again(team: Team, cut_off: Breaker, sign_in: SignIn) -> None:
    sign_in(team.admin).post(PAGE, {"act": "close", "breaker": cut_off.pk})
    cut_off.refresh_from_db()
    assert cut_off.state == "closed"


def test_asking_opens_one_conversation_with_questions_to_begin_with(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    first = client.post(PAGE, {"act": "ask"}, follow=True).content.decode()
    client.post(PAGE, {"act": "ask"})
    assert "What failed in the last 24 hours?" in first
    assert Conversation.objects.filter(settings__cortex=True).count() == 1


def test_trouble_stands_on_the_home_of_administrators_alone(
    team: Team, cut_off: Breaker, sign_in: SignIn
) -> None:
    words = "The tool write_file is switched off"
    assert words in sign_in(team.admin).get("/home/").content.decode()
    assert words not in sign_in(team.member).get("/home/").content.decode()


def test_the_profile_is_shown_to_everyone_and_escaped(team: Team, sign_in: SignIn) -> None:
    Profile.objects.create(
        organization=team.organization, agent=team.agent, display_name="Spacebot", status_line="Helps <i>you</i>",
        bio="I help.", made_at=timezone.now(),
    )  # fmt: skip
    for path in ("/agents/", "/agents/spacebot/"):
        page = sign_in(team.member).get(path).content.decode()
        assert "Helps &lt;i&gt;you&lt;/i&gt;" in page
    assert "Cortex</a>" not in page
