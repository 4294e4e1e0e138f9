"""Schedules over the API: made, changed, confirmed, run; refused; another organization; twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.services.tokens import create_token
from messaging.models import Conversation
from realtime.services import unit_of_work
from tasks.models import Firing, Schedule, ScheduleState
from tasks.services.schedules.editing import propose_schedule
from tasks.services.schedules.fields import When
from tests.api.conftest import Api
from tests.factories import Team


@pytest.fixture
def api(team: Team) -> Any:
    def of(actor: Any) -> Api:
        token = create_token(actor, name="t", scopes=["schedules:read", "schedules:write"])[1]
        return Api(Client(), Authorization=f"Bearer {token}")

    return of


def body(chat: Conversation, **more: Any) -> dict[str, Any]:
    return {
        "conversation_id": chat.pk,
        "prompt": "Look.",
        "when": {"phrase": "every weekday at nine"},
        **more,
    }


def propose(team: Team, chat: Conversation, **more: Any) -> Schedule:
    with unit_of_work():
        return propose_schedule(
            chat, team.member.user, prompt="Look.", when=When(phrase="every hour"), run_id=1, key="k", **more
        )


def test_it_is_made_active_with_its_next_three_times(team: Team, chat: Conversation, api: Any) -> None:
    answer = api(team.member).post(
        "/schedules", body(chat, when={"phrase": "every weekday at nine", "time_zone": "Asia/Tokyo"})
    )
    made = answer.json()
    assert answer.status_code == 201
    assert (made["state"], made["expression"], made["owner_id"]) == (
        "active",
        "0 9 * * 1-5",
        team.member.user.pk,
    )
    assert made["words"] == "Every weekday at 09:00 (Asia/Tokyo)"
    assert [each[11:] for each in made["next"]] == ["09:00:00+09:00"] * 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"when": {"expression": "* * * *"}}, "expression"),
        ({"when": {"interval_s": 5}}, "interval_s"),
        ({"when": {"once_at": "2001-01-01T00:00:00Z"}}, "once_at"),
        ({"when": {}}, "once_at"),
        ({"when": {"phrase": "whenever"}}, "phrase"),
        ({"when": {"phrase": "every day", "time_zone": "../etc"}}, "time_zone"),
        ({"prompt": "  "}, "prompt"),
        ({"timeout_s": 5}, "timeout_s"),
        ({"active_from": "09:00"}, "active_until"),
        ({"active_from": "10:00", "active_until": "11:00"}, "active_from"),
    ],
)
def test_what_is_wrong_is_named(
    team: Team, chat: Conversation, api: Any, wrong: dict[str, Any], field: str
) -> None:
    answer = api(team.member).post("/schedules", body(chat, **wrong))
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert not Schedule.objects.exists()


def test_a_place_one_does_not_take_part_in_is_not_there(
    team: Team, rivals: Team, chat: Conversation, api: Any
) -> None:
    for stranger in (team.other_member, team.owner, rivals.owner):
        assert api(stranger).post("/schedules", body(chat)).status_code == 404
    assert not Schedule.objects.exists()


def test_only_the_person_or_a_moderator_confirms_and_twice_is_once(
    team: Team, rivals: Team, chat: Conversation, api: Any
) -> None:
    from messaging.services.conversations import add_participant

    schedule = propose(team, chat)
    add_participant(team.member, chat.pk, user_id=team.other_member.user.pk)
    assert api(team.other_member).post(f"/schedules/{schedule.pk}/confirm", None).status_code == 403
    assert api(rivals.owner).post(f"/schedules/{schedule.pk}/confirm", None).status_code == 404
    schedule.refresh_from_db()
    assert (schedule.state, schedule.next_due_at) == (ScheduleState.PROPOSED, None)
    for _ in range(2):
        assert api(team.member).post(f"/schedules/{schedule.pk}/confirm", None).json()["state"] == "active"


def test_a_moderator_who_confirms_or_rewrites_runs_it_with_their_own_authority(
    team: Team, chat: Conversation, api: Any
) -> None:
    schedule = propose(team, chat)
    confirmed = api(team.moderator).post(f"/schedules/{schedule.pk}/confirm", None).json()
    assert confirmed["owner_id"] == team.moderator.user.pk
    other = api(team.member).post("/schedules", body(chat)).json()
    api(team.moderator).post(f"/schedules/{other['id']}/pause", None)
    assert Schedule.objects.get(pk=other["id"]).owner_id == team.member.user.pk
    api(team.moderator)("PATCH", f"/schedules/{other['id']}", {"prompt": "Something else."})
    assert Schedule.objects.get(pk=other["id"]).owner_id == team.moderator.user.pk


def test_it_is_run_by_hand_and_not_twice_at_once(team: Team, chat: Conversation, api: Any) -> None:
    made = api(team.member).post("/schedules", body(chat)).json()
    path = f"/schedules/{made['id']}/run"
    first, second = api(team.member).post(path, None), api(team.member).post(path, None)
    assert (first.status_code, first.json()["trigger"], second.status_code) == (201, "manual", 409)
    (line,) = api(team.member).get(f"/schedules/{made['id']}/firings").json()["items"]
    assert (line["execution"], line["run_id"]) == ("queued", Firing.objects.get().run_id)


def test_what_was_removed_is_gone_and_fires_no_more(team: Team, chat: Conversation, api: Any) -> None:
    made = api(team.member).post("/schedules", body(chat)).json()
    path = f"/schedules/{made['id']}"
    assert [api(team.member)("DELETE", path).status_code for _ in range(2)] == [204, 404]
    assert Schedule.objects.get().next_due_at is None
    assert api(team.member).get("/schedules").json()["items"] == []


def test_a_preview_keeps_nothing(team: Team, api: Any) -> None:
    shown = api(team.member).post("/schedules/preview", {"expression": "0 9 * * 7"}).json()
    assert (shown["words"], len(shown["next"])) == ("Every Sunday at 09:00 (UTC)", 3)
    assert not Schedule.objects.exists()


def test_the_organizations_zone_is_the_default(team: Team, chat: Conversation, api: Any) -> None:
    team.organization.time_zone = "Europe/Vienna"
    team.organization.save()
    made = api(team.member).post("/schedules", body(chat)).json()
    assert made["time_zone"] == "Europe/Vienna"


def test_pages_of_the_ledger_follow_each_other(team: Team, chat: Conversation, api: Any) -> None:
    from datetime import timedelta

    from tasks.services.schedules import clock
    from tests.tasks.timetable import NOW, make

    schedule = make(team, chat, overlap="parallel")
    for minute in range(1, 6):
        clock.tick(now=NOW + timedelta(minutes=minute))
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api(team.member).get(f"/schedules/{schedule.pk}/firings?limit=2&cursor={cursor}").json()
        seen += [line["id"] for line in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 5


def test_active_hours_go_in_and_come_out_and_count_in_the_next_times(
    team: Team, chat: Conversation, api: Any
) -> None:
    hours = {"active_from": "08:00", "active_until": "09:00", "when": {"expression": "30 * * * *"}}
    made = api(team.member).post("/schedules", body(chat, **hours)).json()
    assert (made["active_from"], made["active_until"]) == ("08:00:00", "09:00:00")
    assert [each[11:16] for each in made["next"]] == ["08:30"] * 3


def test_when_is_said_in_one_way(team: Team, api: Any) -> None:
    for wrong in (
        {"phrase": "every day", "interval_s": 60},
        {"phrase": "every day", "anchor_at": "2027-01-01T00:00Z"},
    ):
        assert api(team.member).post("/schedules/preview", wrong).status_code == 422
