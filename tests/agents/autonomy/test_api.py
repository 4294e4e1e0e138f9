"""Autonomy and wakes over the API: read, changed, refused, twice; what is told to whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.services.tokens import create_token
from agents.models import Autonomy, AutonomyRule
from realtime.models import Event
from tasks.models import Wake, WakeEvent
from tests.agents.autonomy.conftest import Alone
from tests.api.conftest import Api
from tests.factories import Team


def api(actor: Actor) -> Api:
    token = create_token(actor, name="t", scopes=["autonomy:read", "autonomy:write"])[1]
    return Api(Client(), Authorization=f"Bearer {token}")


def one(team: Team, rest: str = "autonomy") -> str:
    return f"/agents/{team.agent.pk}/{rest}"


def test_the_dial_and_its_limits_are_changed_and_bounded(team: Team) -> None:
    admin = api(team.admin)
    found = admin(
        "PATCH", one(team), {"level": "act", "gap_s": 90, "active_from": "08:00", "active_until": "18:00"}
    )
    assert found.status_code == 200
    assert (found.json()["level"], found.json()["gap_s"], found.json()["active_from"]) == (
        "act",
        90,
        "08:00:00",
    )
    for wrong in (
        {"gap_s": 1},
        {"level": "more"},
        {"active_from": 8},
        {"active_until": None},
        {"paused_at": None},
    ):
        assert admin("PATCH", one(team), wrong).status_code == 422
    admin("PATCH", "/autonomy", {"ceiling": "observe"})
    now = admin.get(one(team)).json()
    assert (now["level"], now["ceiling"], now["effective_level"]) == ("act", "observe", "observe")


def test_pause_and_resume_are_told_and_twice_changes_nothing(team: Team) -> None:
    admin = api(team.admin)
    admin("PATCH", one(team), {"level": "act"})
    for _ in range(2):
        found = admin.post(one(team, "autonomy/pause"), {"reason": "moving"}).json()
        assert found["state"]["doing"] == "paused"
        assert found["paused_reason"] == "moving"
    first = Autonomy.objects.get(agent=team.agent).paused_at
    admin.post(one(team, "autonomy/pause"), {"reason": "again"})
    assert Autonomy.objects.get(agent=team.agent).paused_at == first
    assert admin.post(one(team, "autonomy/resume"), {}).json()["paused_at"] is None
    assert admin.post("/autonomy/pause", {}).json()["paused_at"]
    assert AutonomyRule.objects.get(organization=team.organization).paused_by == team.admin.user
    assert {row.minimum_level for row in Event.objects.filter(kind="autonomy.changed")} == {team.admin.level}


def test_a_stop_answers_with_how_far_it_is(team: Team) -> None:
    admin = api(team.admin)
    assert admin.get(one(team, "autonomy/halt")).status_code == 404
    made = admin.post(one(team, "autonomy/halt"), {"reason": "enough"})
    assert made.status_code == 201
    assert (made.json()["left"], made.json()["took_s"]) == (0, 0.0)
    assert admin.get(one(team, "autonomy/halt")).json() == made.json()
    assert admin.get("/autonomy/halt").status_code == 404


def test_the_history_holds_summary_cost_and_what_was_started(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    alone.script()
    run = alone.work()
    page = api(alone.team.admin).get(one(alone.team, "autonomy/runs")).json()
    assert [each["run_id"] for each in page["items"]] == [run.pk]
    assert page["items"][0]["summary"] == "Looked at the board; nothing else to do."
    assert page["items"][0]["level"] == "act"
    assert page["items"][0]["tasks_started"] == []


def test_the_steps_of_a_run_by_itself_open_to_administrators_and_its_end_is_told_to_them_alone(
    alone: Alone,
) -> None:
    alone.let("act")
    alone.task()
    alone.script()
    run = alone.work()
    token = create_token(alone.team.admin, name="r", scopes=["runs:read"])[1]
    reader = Api(Client(), Authorization=f"Bearer {token}")
    steps = reader.get(f"/runs/{run.pk}/steps")
    assert steps.status_code == 200
    token = create_token(alone.team.moderator, name="r", scopes=["runs:read"])[1]
    assert Api(Client(), Authorization=f"Bearer {token}").get(f"/runs/{run.pk}/steps").status_code == 404
    told = Event.objects.filter(kind="run.changed", payload__run__id=run.pk)
    assert {row.minimum_level for row in told} == {alone.team.admin.level}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"trigger": "schedule", "name": "x", "interval_s": 600}, 201),
        ({"trigger": "schedule", "name": "x", "expression": "0 9 * * 1-5", "time_zone": "Asia/Tokyo"}, 201),
        ({"trigger": "event", "name": "x", "happening": "task.approved"}, 201),
        ({"trigger": "webhook", "name": "x", "signed": True}, 201),
        ({"trigger": "schedule", "name": "x"}, 422),
        ({"trigger": "schedule", "name": "x", "interval_s": 5}, 422),
        ({"trigger": "schedule", "name": "x", "interval_s": 10**9}, 422),
        ({"trigger": "schedule", "name": "x", "expression": "never"}, 422),
        ({"trigger": "schedule", "name": "x", "interval_s": 600, "time_zone": "Moon/Sea"}, 422),
        ({"trigger": "event", "name": "x"}, 422),
        ({"trigger": "event", "name": "", "happening": "task.approved"}, 422),
        ({"trigger": "webhook", "name": "x", "interval_s": 600}, 422),
        ({"trigger": "webhook", "name": "x", "minimum_level": "off"}, 422),
    ],
)
def test_a_wake_is_made_or_refused_whole(team: Team, body: dict[str, Any], status: int) -> None:
    answer = api(team.admin).post(one(team, "wakes"), body)
    assert answer.status_code == status, answer.content
    assert Wake.objects.count() == (status == 201)
    if status == 201:
        assert bool(answer.json()["token"]) == (body["trigger"] == "webhook")


def test_a_token_is_shown_when_it_is_made_and_never_again(team: Team) -> None:
    admin = api(team.admin)
    made = admin.post(one(team, "wakes"), {"trigger": "webhook", "name": "Orders"}).json()
    assert made["token"]
    assert made["signing_key"]
    assert made["token"] not in str(admin.get(f"/wakes/{made['id']}").json())
    again = admin.post(f"/wakes/{made['id']}/token", {}).json()
    assert again["token"] != made["token"]


def test_changing_a_name_leaves_the_rhythm_alone_and_another_rhythm_begins_anew(team: Team) -> None:
    admin = api(team.admin)
    made = admin.post(one(team, "wakes"), {"trigger": "schedule", "name": "x", "interval_s": 600}).json()
    path = f"/wakes/{made['id']}"
    assert admin("PATCH", path, {"name": "y"}).json()["next_due_at"] == made["next_due_at"]
    other = admin("PATCH", path, {"interval_s": None, "expression": "0 9 * * *"}).json()
    assert (other["interval_s"], other["expression"]) == (None, "0 9 * * *")
    assert other["next_due_at"] != made["next_due_at"]
    assert admin("PATCH", path, {"happening": "task.approved"}).status_code == 422


def test_an_event_that_does_not_exist_is_refused_when_a_wake_is_changed(team: Team) -> None:
    from accounts.errors import InvalidInput
    from tasks.services.wakes.definitions import change_wake, create_wake

    wake, _ = create_wake(team.admin, team.agent.pk, trigger="event", name="x", happening="task.approved")
    with pytest.raises(InvalidInput):
        change_wake(team.admin, wake.pk, happening="nothing.of.the.kind")


def test_built_in_wakes_stay_and_can_be_switched_off(team: Team) -> None:
    admin = api(team.admin)
    admin("PATCH", one(team), {"level": "act"})
    wake = Wake.objects.filter(built_in=True).first()
    assert wake is not None
    assert admin("DELETE", f"/wakes/{wake.pk}").status_code == 409
    assert admin("PATCH", f"/wakes/{wake.pk}", {"name": "x"}).status_code == 409
    assert admin("PATCH", f"/wakes/{wake.pk}", {"enabled": False}).json()["enabled"] is False


def test_firing_by_hand_is_refused_while_off_and_for_what_cannot_be_stored(team: Team) -> None:
    admin = api(team.admin)
    made = admin.post(one(team, "wakes"), {"trigger": "schedule", "name": "x", "interval_s": 600}).json()
    path = f"/wakes/{made['id']}/fire"
    assert admin.post(path, {"payload": {"order": 7}}).json()["state"] == "pending"
    assert admin.post(path, {"payload": "again"}).json()["count"] == 2
    assert admin.post(path, {"payload": "x" * 70_000}).status_code == 413
    event = WakeEvent.objects.get()
    rows = admin.get(one(team, f"wake-events/{event.pk}/payloads")).json()["items"]
    assert [row["payload"] for row in rows] == ["again", {"order": 7}]
    queue = admin.get(one(team, "wake-events?state=pending")).json()["items"]
    assert [(each["count"], each["wake"]) for each in queue] == [(2, "x")]
    admin("PATCH", f"/wakes/{made['id']}", {"enabled": False})
    assert admin.post(path, {"payload": None}).status_code == 409


def test_another_organization_finds_none_of_it(team: Team, rivals: Team) -> None:
    made = api(team.admin).post(one(team, "wakes"), {"trigger": "webhook", "name": "x"}).json()
    theirs = api(rivals.owner)
    for method, path in (
        ("GET", one(team)), ("POST", one(team, "autonomy/resume")), ("GET", one(team, "wakes")),
        ("GET", f"/wakes/{made['id']}"), ("DELETE", f"/wakes/{made['id']}"), ("POST", f"/wakes/{made['id']}/token"),
    ):  # fmt: skip
        assert theirs(method, path).status_code == 404
    assert Wake.objects.filter(pk=made["id"]).exists()
