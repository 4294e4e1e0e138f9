"""The pages of autonomy: the dial under its ceiling, why an agent is silent, wakes, pause and stop; who may see them."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.autonomy import settings
from agents.models import Autonomy, Halt, Run, RunKind, RunState
from tasks.models import Wake, WakeEvent
from tasks.services.wakes.ringing import fire
from tests.factories import Team
from tests.web.conftest import SignIn

PAGE, ALL = "/agents/spacebot/autonomy/", "/settings/autonomy/"


def let(team: Team, level: str = "act", **limits: Any) -> Autonomy:
    return settings.change_autonomy(team.admin, team.agent.pk, level=level, **limits)


def change(team: Team, **values: Any) -> None:
    Autonomy.objects.filter(agent=team.agent).update(**values)


def by_itself(team: Team, **fields: Any) -> Run:
    now = timezone.now()
    values = {
        "state": RunState.SUCCEEDED,
        "title": "It was woken",
        "input": {"level": "act", "keys": []},
        **fields,
    }
    if values["state"] == RunState.SUCCEEDED:
        values["finished_at"] = now
    return Run.objects.create(
        organization=team.organization, agent=team.agent, kind=RunKind.AUTONOMY, due_at=now, **values
    )


def test_the_dial_is_turned_and_levels_above_the_ceiling_cannot_be_reached(
    team: Team, sign_in: SignIn
) -> None:
    client = sign_in(team.admin)
    settings.set_ceiling(team.admin, "suggest")
    page = client.get(PAGE).content.decode()
    assert page.count("Above the ceiling of the organization") == 1
    client.post(PAGE, {"act": "level", "level": "suggest"})
    assert Autonomy.objects.get(agent=team.agent).level == "suggest"
    assert Wake.objects.filter(agent_id=team.agent.pk, built_in=True).count() == 8


def test_a_level_above_a_lowered_ceiling_is_shown_as_held(team: Team, sign_in: SignIn) -> None:
    let(team, "act")
    settings.set_ceiling(team.admin, "observe")
    client = sign_in(team.admin)
    assert "held at observe" in client.get(PAGE).content.decode()
    assert "held at observe" in client.get(ALL).content.decode()


def test_silence_is_always_explained(team: Team, sign_in: SignIn) -> None:
    client, now = sign_in(team.admin), timezone.now()

    def shown() -> str:
        return str(client.get(PAGE).content.decode())

    assert "its level is off" in shown()
    row = let(team)
    assert "has not looked yet" in shown()
    change(team, last_started_at=now, looked_at=now)
    assert "nothing new to do" in shown()
    wake = Wake.objects.filter(agent_id=row.agent_id, happening="task.approved").get()
    fire(wake.pk, payload={})
    assert "One wake waits" in shown()
    change(team, failures_in_row=2, not_before=now + timedelta(hours=1))
    assert "Its last 2 runs failed, so it rests." in shown()
    change(team, not_before=None, active_from=time(0, 0), active_until=time(0, 0, 1))
    assert "outside of its hours" in shown()
    change(team, active_from=None, active_until=None)
    spent = by_itself(team, active_ms=120 * 60_000)
    assert "the 120 minutes" in shown()
    spent.delete()
    run = by_itself(team, state=RunState.RUNNING, started_at=now)
    assert "It works now" in shown()
    run.delete()
    client.post(PAGE, {"act": "pause", "reason": "the board is being moved"})
    assert f"It is paused by {team.admin.user}: the board is being moved." in shown()
    client.post(ALL, {"act": "pause"})
    assert f"All agents are paused by {team.admin.user}." in shown()
    settings.set_ceiling(team.admin, "off")
    assert "nobody may go further than off" in shown()


def test_limits_are_saved_and_refused_outside_their_bounds(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    form = {
        "act": "limits", "interval_min": "45", "gap_s": "90", "active_from": "08:00", "active_until": "18:30",
        "timeout_min": "7.5", "tasks_per_run": "1", "tasks_per_day": "3", "minutes_per_day": "60", "run_history": "4",
    }  # fmt: skip
    client.post(PAGE, form)
    row = Autonomy.objects.get(agent=team.agent)
    assert (row.interval_s, row.gap_s, row.timeout_s, row.tasks_per_run, row.run_history) == (
        2_700,
        90,
        450,
        1,
        4,
    )
    assert (row.active_from, row.active_until, row.claim_unowned) == (time(8), time(18, 30), False)
    for wrong in ({"tasks_per_run": "99"}, {"gap_s": "x"}, {"interval_min": "NaN"}, {"active_until": ""}):
        page = client.post(PAGE, {**form, **wrong}, follow=True).content.decode()
        assert "notice-bad" in page
    row.refresh_from_db()
    assert (row.tasks_per_run, row.gap_s, row.active_until) == (1, 90, time(18, 30))


def test_history_tells_summary_cost_actions_and_what_was_started(team: Team, sign_in: SignIn) -> None:
    run = by_itself(
        team,
        result={
            "summary": "Looked <b>round</b>.",
            "actions": [{"kind": "left", "task_number": 7, "detail": "for Mia"}],
        },
    )
    page = sign_in(team.admin).get(PAGE).content.decode()
    assert "Looked &lt;b&gt;round&lt;/b&gt;." in page
    assert "for Mia" in page
    assert f"/runs/{run.pk}/" in page


def test_the_run_page_shows_why_it_began_to_administrators_alone(team: Team, sign_in: SignIn) -> None:
    let(team)
    wake = Wake.objects.filter(agent_id=team.agent.pk, happening="task.approved").get()
    fire(wake.pk, payload={})
    event = WakeEvent.objects.get()
    run = by_itself(team, input={"level": "act", "keys": ["task:1:ready:1"], "event_ids": [event.pk]})
    page = sign_in(team.admin).get(f"/runs/{run.pk}/").content.decode()
    for shown in ("Why it began", "A task was approved", "1 thing to look at", "By itself:"):
        assert shown in page
    assert sign_in(team.moderator).get(f"/runs/{run.pk}/").status_code == 404


def test_stopping_tells_the_time_it_took(team: Team, sign_in: SignIn) -> None:
    let(team)
    by_itself(team, state=RunState.QUEUED)
    client = sign_in(team.admin)
    page = client.post(PAGE, {"act": "halt", "reason": "enough"}, follow=True).content.decode()
    assert "to full stop" in page
    assert "enough" in page
    assert Run.objects.get().state == RunState.CANCELLED
    running = by_itself(team, state=RunState.RUNNING, started_at=timezone.now(), lease_owner="x")
    page = client.post(PAGE, {"act": "halt"}, follow=True).content.decode()
    assert "1 left" in page
    running.state, running.finished_at = RunState.CANCELLED, timezone.now()
    running.save()
    assert "1 run was stopped" in " ".join(client.get(PAGE).content.decode().split())


def test_a_webhook_shows_its_address_and_key_once(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    answer = client.post(
        "/agents/spacebot/wakes/new/",
        {"trigger": "webhook", "name": "Orders", "signed_shown": "1", "signed": "on"},
    )
    page = answer.content.decode()
    assert "not shown again" in page
    assert "/hooks/" in page
    assert "no-store" in answer["Cache-Control"]
    wake = Wake.objects.get(name="Orders")
    assert wake.signed
    assert "/hooks/" not in client.get(PAGE).content.decode()
    again = client.post(f"/agents/spacebot/wakes/{wake.pk}/", {"act": "token"}).content.decode()
    assert "/hooks/" in again


def test_a_wake_by_the_calendar_is_said_in_words_changed_and_removed(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.admin)
    form = {
        "trigger": "schedule",
        "name": "Mornings",
        "when": "every weekday at nine",
        "time_zone": "Europe/Berlin",
    }
    client.post("/agents/spacebot/wakes/new/", form)
    wake = Wake.objects.get(name="Mornings")
    assert (wake.expression, wake.time_zone) == ("0 9 * * 1-5", "Europe/Berlin")
    one = f"/agents/spacebot/wakes/{wake.pk}/"
    client.post(one, {"act": "save", "name": "Often", "when": "every 10 minutes", "time_zone": "UTC"})
    wake.refresh_from_db()
    assert (wake.name, wake.expression, wake.interval_s) == ("Often", "", 600)
    refused = client.post(one, {"act": "save", "name": "Once", "when": "in twenty minutes"}).content.decode()
    assert "again and again" in refused
    assert "Every 10 minutes" in client.get(PAGE).content.decode()
    client.post(one, {"act": "delete"})
    assert not Wake.objects.filter(pk=wake.pk).exists()


def test_trying_a_wake_out_puts_it_into_the_queue_with_what_was_given(team: Team, sign_in: SignIn) -> None:
    let(team)
    client = sign_in(team.admin)
    wake = Wake.objects.filter(agent_id=team.agent.pk, happening="task.approved").get()
    one = f"/agents/spacebot/wakes/{wake.pk}/"
    client.post(one, {"act": "fire", "payload": '{"a": "<i>tried</i>"}'})
    client.post(one, {"act": "fire", "payload": "just words"})
    page = client.get(PAGE).content.decode()
    assert "&lt;i&gt;tried&lt;/i&gt;" in page
    assert "just words" in page
    assert "2 times" in page
    client.post(one, {"act": "switch"})
    assert "switched off" in client.post(one, {"act": "fire"}, follow=True).content.decode()


def test_a_wake_of_another_agent_is_not_found_under_this_one(
    team: Team, rivals: Team, sign_in: SignIn
) -> None:
    settings.change_autonomy(rivals.admin, rivals.agent.pk, level="act")
    theirs = Wake.objects.filter(organization=rivals.organization).first()
    assert theirs is not None
    path = f"/agents/spacebot/wakes/{theirs.pk}/"
    assert sign_in(team.admin).get(path).status_code == 404
    assert sign_in(team.admin).post(path, {"act": "switch"}).status_code == 404


@pytest.mark.parametrize("path", [PAGE, ALL, "/agents/spacebot/wakes/new/"])
def test_others_see_none_of_it(path: str, team: Team, sign_in: SignIn) -> None:
    assert sign_in(team.moderator).get(path).status_code == 403
    assert sign_in(team.member).post(path, {"act": "halt"}).status_code == 403
    assert not Halt.objects.exists()


def test_a_pause_stands_on_everyones_home(team: Team, sign_in: SignIn) -> None:
    let(team)
    client = sign_in(team.admin)
    client.post(PAGE, {"act": "pause", "reason": "moving"})
    home = sign_in(team.member).get("/home/").content.decode()
    assert "Paused:" in home
    assert "moving" in home
    client.post(ALL, {"act": "pause"})
    assert "All agents are paused" in sign_in(team.member).get("/home/").content.decode()
    client.post(ALL, {"act": "resume"})
    client.post(PAGE, {"act": "resume"})
    assert "aused" not in sign_in(team.member).get("/home/").content.decode()


def test_the_palette_finds_the_page_for_administrators(team: Team, sign_in: SignIn) -> None:
    assert "Autonomy of Spacebot" in sign_in(team.admin).get("/palette/?q=autonomy").content.decode()
    assert "Autonomy" not in sign_in(team.member).get("/palette/?q=autonomy").content.decode().replace(
        "“autonomy”", ""
    )
