"""The tick, with the time passed in: gaps, jumps, two clocks at once, changes of the wall clock, policies."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import Membership
from agents.models import Agent, Run
from messaging.models import Conversation, Participant
from messaging.services.conversations import start_conversation
from tasks.models import Execution, Firing, Schedule, ScheduleState
from tasks.services.schedules import acts, clock, ledger
from tasks.services.schedules.fields import When
from tests.factories import Team, make_team
from tests.tasks.timetable import NOW, check_ledger, expand, finish, lines, make

MINUTE = timedelta(minutes=1)


def reasons(schedule: Schedule) -> list[str]:
    return [f"{line.reason or line.decision}×{line.count}" for line in lines(schedule)]


def test_nothing_is_due_and_one_query_says_so(
    team: Team, chat: Conversation, django_assert_num_queries: Any
) -> None:
    make(team, chat)
    with django_assert_num_queries(1):
        assert clock.tick(now=NOW) == 0


def test_an_instant_fires_once_however_often_the_clock_ticks(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat)
    due = schedule.next_due_at
    assert due == NOW.replace(second=0) + MINUTE
    assert [clock.tick(now=due + timedelta(seconds=s)) for s in range(3)] == [1, 0, 0]
    (line,) = lines(schedule)
    assert (line.due_at, line.decision, line.execution) == (due, "fired", "queued")
    run = Run.objects.get(pk=line.run_id)
    assert (run.kind, run.requester_user_id) == ("cron", team.member.user.pk)


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [
        ("once", ["misfire×59", "fired×1"]),
        ("skip", ["misfire×60"]),
        ("all", ["misfire×50", *["fired×1"] * 10]),
    ],
)
def test_after_an_hour_away_the_policy_decides(
    team: Team, chat: Conversation, misfire: str, expected: list[str]
) -> None:
    schedule = make(team, chat, misfire=misfire, grace_s=10)
    clock.tick(now=NOW.replace(second=45) + timedelta(hours=1))
    assert reasons(schedule) == expected
    check_ledger(schedule, NOW)
    assert Run.objects.count() == min(1, expected.count("fired×1"))


def test_a_catch_up_says_so(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat, "every day at 13:00")
    clock.tick(now=NOW + timedelta(hours=5))
    (line,) = lines(schedule)
    assert (line.decision, line.trigger) == ("fired", "catch_up")


def test_a_clock_that_jumps_an_hour_ahead_and_back_repeats_nothing(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat)
    clock.tick(now=NOW + MINUTE)
    clock.tick(now=NOW + timedelta(hours=1))
    for minute in range(62):
        clock.tick(now=NOW + minute * MINUTE)
    instants = [instant for instant, _ in expand(schedule)]
    assert len(instants) == len(set(instants))
    check_ledger(schedule, NOW)


def test_a_clock_that_jumps_an_hour_back_waits_and_repeats_nothing(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat)
    clock.tick(now=NOW + MINUTE)
    assert clock.tick(now=NOW - timedelta(hours=1)) == 0
    clock.tick(now=NOW + 2 * MINUTE)
    check_ledger(schedule, NOW)


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)]
)
@pytest.mark.parametrize("phrase", ["every hour", "every day at 2:30", "every 45 minutes"])
def test_each_instant_has_one_line_over_both_changes_of_the_clocks(
    team: Team, chat: Conversation, day: datetime, phrase: str
) -> None:
    schedule = make(team, chat, phrase, now=day, time_zone="Europe/Berlin", overlap="parallel")
    for minute in range(0, 60 * 48, 15):
        clock.tick(now=day + timedelta(minutes=minute))
    check_ledger(schedule, day)
    assert {line.decision for line in lines(schedule)} == {"fired"}


def test_outside_its_hours_it_is_skipped_in_one_line(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat, "every hour", active_from=time(22), active_until=time(2))
    for hour in range(24):
        clock.tick(now=NOW + timedelta(hours=hour))
        for line in Firing.objects.filter(execution="queued"):
            finish(line)
    assert reasons(schedule) == ["outside_hours×9", *["fired×1"] * 4, "outside_hours×10"]
    check_ledger(schedule, NOW)


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [("skip", ["queued", "none"]), ("wait", ["queued", "waiting", "none"]), ("parallel", ["queued"] * 3)],
)
def test_what_overlaps_follows_the_policy(
    team: Team, chat: Conversation, overlap: str, expected: list[str]
) -> None:
    schedule = make(team, chat, overlap=overlap)
    for minute in range(1, 4):
        clock.tick(now=NOW + minute * MINUTE)
    assert [line.execution for line in lines(schedule)] == expected


def _switch_off(team: Team, chat: Conversation) -> None:
    Agent.objects.filter(pk=team.agent.pk).update(enabled=False)


def _remove_owner(team: Team, chat: Conversation) -> None:
    Membership.objects.filter(user=team.member.user).delete()


def _take_out_owner(team: Team, chat: Conversation) -> None:
    Participant.objects.filter(conversation=chat, person__user=team.member.user).delete()


@pytest.mark.parametrize(
    ("happen", "reason"),
    [(_switch_off, "agent_off"), (_remove_owner, "owner_gone"), (_take_out_owner, "target_closed")],
)
def test_authority_is_asked_at_each_firing_and_the_ledger_says_why_not(
    team: Team, chat: Conversation, happen: Any, reason: str
) -> None:
    schedule = make(team, chat)
    happen(team, chat)
    for minute in range(1, 4):
        clock.tick(now=NOW + minute * MINUTE)
    assert reasons(schedule) == [f"{reason}×3"]
    assert not Run.objects.exists()


def test_one_that_runs_once_fires_late_after_a_pause_and_is_finished(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat, "in 10 minutes")
    acts.pause(team.member, schedule.pk, now=NOW)
    ledger.sweep(now=NOW + timedelta(hours=1))
    assert lines(schedule) == []
    acts.resume(team.member, schedule.pk, now=NOW + timedelta(hours=1))
    clock.tick(now=NOW + timedelta(hours=1))
    schedule.refresh_from_db()
    assert [(line.decision, line.trigger) for line in lines(schedule)] == [("fired", "catch_up")]
    assert (schedule.state, schedule.next_due_at) == (ScheduleState.FINISHED, None)


def test_run_once_finishes_after_its_first_run(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat, "every hour", run_once=True)
    clock.tick(now=NOW + timedelta(hours=5))
    schedule.refresh_from_db()
    assert schedule.state == ScheduleState.FINISHED
    assert reasons(schedule) == ["misfire×4", "fired×1"]


def test_a_pause_is_one_line_that_grows(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat)
    acts.pause(team.member, schedule.pk, now=NOW)
    for hour in range(1, 4):
        ledger.sweep(now=NOW + timedelta(hours=hour))
    assert clock.tick(now=NOW + timedelta(hours=3)) == 0
    acts.resume(team.member, schedule.pk, now=NOW + timedelta(hours=3, minutes=5))
    assert reasons(schedule) == ["paused×185"]
    clock.tick(now=NOW + timedelta(hours=3, minutes=6))
    check_ledger(schedule, NOW)


def test_a_year_away_is_accounted_for(team: Team, chat: Conversation) -> None:
    schedule = make(team, chat, when=When(expression="*/10 * * * *"))
    for _ in range(5):
        clock.tick(now=NOW + timedelta(days=365))
    assert reasons(schedule)[-1] == "fired×1"
    assert sum(line.count for line in lines(schedule)) == 365 * 144
    assert len(lines(schedule)) == 2


def test_one_that_cannot_be_worked_out_is_stopped_and_hinders_nobody(team: Team, chat: Conversation) -> None:
    broken, well = make(team, chat), make(team, chat)
    Schedule.objects.filter(pk=broken.pk).update(time_zone="Nowhere/Land")
    assert clock.tick(now=NOW + MINUTE) == 1
    broken.refresh_from_db()
    assert broken.state == ScheduleState.BROKEN
    assert "could not be worked out" in broken.stopped_reason
    assert reasons(well) == ["fired×1"]


@pytest.mark.django_db(transaction=True)
def test_several_clocks_at_once_fire_each_instant_once() -> None:
    team = make_team("acme")
    chat = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    schedules = [make(team, chat) for _ in range(60)]

    def go() -> None:
        try:
            for second in range(3):
                clock.tick(now=NOW + MINUTE + timedelta(seconds=second))
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.tick(now=NOW + MINUTE)
    assert Firing.objects.count() == Run.objects.count() == len(schedules)
    assert set(Firing.objects.values_list("execution", flat=True)) == {Execution.QUEUED}
