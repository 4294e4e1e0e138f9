"""Schedules, ledger and breaker as a state machine: whatever people, clocks and crashes do, each instant has one line."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import pairwise

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.errors import Conflict
from agents.models import Run
from messaging.models import Conversation
from realtime.services import unit_of_work
from tasks.models import Execution, Firing, Schedule, ScheduleState
from tasks.services.schedules import acts, clock, ledger
from tasks.services.schedules.editing import update_schedule
from tasks.services.schedules.fields import When
from tests.factories import Team
from tests.tasks.timetable import NOW, expand, finish, make


class Crash(Exception):
    """What a killed process leaves behind: nothing of its open transaction."""


class Schedules(RuleBasedStateMachine):
    def __init__(self, team: Team, chat: Conversation) -> None:
        super().__init__()
        self.team = team
        self.block = transaction.atomic()
        self.block.__enter__()
        self.now, self.latest = NOW, NOW
        self.failures = 0
        self.schedule = make(team, chat, misfire="once", grace_s=30)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def look(self) -> Schedule:
        self.schedule.refresh_from_db()
        return self.schedule

    @rule(seconds=st.integers(1, 200))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_jumps(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(clocks=st.integers(1, 3))
    def tick(self, clocks: int) -> None:
        for _ in range(clocks):
            clock.tick(now=self.now)

    @rule()
    def tick_and_die(self) -> None:
        before = Firing.objects.count()
        try:
            with transaction.atomic():
                clock.tick(now=self.now)
                raise Crash
        except Crash:
            assert Firing.objects.count() == before

    @rule(ok=st.booleans())
    def a_run_ends(self, ok: bool) -> None:
        line = Firing.objects.filter(execution=Execution.QUEUED).order_by("pk").first()
        if line is None:
            return
        was_active = self.look().state == ScheduleState.ACTIVE
        for _ in range(2):  # an end that is told twice counts once
            finish(line, Execution.SUCCEEDED if ok else Execution.FAILED, text="ok" if ok else "")
        if line.trigger != "manual":
            self.failures = 0 if ok else self.failures + 1
            if was_active and self.failures >= 3:
                assert self.look().state == ScheduleState.BROKEN

    @rule()
    def pause(self) -> None:
        was_active = self.look().state == ScheduleState.ACTIVE
        acts.pause(self.team.member, self.schedule.pk, now=self.now)
        if was_active:
            assert not Firing.objects.filter(execution=Execution.QUEUED).exists()

    @rule()
    def resume(self) -> None:
        if self.look().state == ScheduleState.PAUSED:
            self.failures = 0
        acts.resume(self.team.member, self.schedule.pk, now=self.now)

    @rule()
    def reset(self) -> None:
        if self.look().state == ScheduleState.BROKEN:
            self.failures = 0
        acts.reset(self.team.member, self.schedule.pk, now=self.now)

    @rule()
    def run_by_hand(self) -> None:
        is_live = Firing.objects.filter(execution=Execution.QUEUED).exists()
        try:
            acts.run_now(self.team.member, self.schedule.pk, now=self.now)
            assert not is_live
        except Conflict:
            assert is_live

    @rule()
    def somebody_looks(self) -> None:
        ledger.account_for(self.look(), now=self.now)

    @precondition(lambda self: self.look().state != ScheduleState.BROKEN)
    @rule(minutes=st.sampled_from([1, 2, 5]))
    def it_is_retimed(self, minutes: int) -> None:
        """Not part of the count of instants; what may never happen is that one gets a second line."""
        update_schedule(self.team.member, self.schedule.pk, when=When(interval_s=minutes * 60), now=self.now)
        self.retimed = True

    retimed = False

    @invariant()
    def each_instant_has_one_line(self) -> None:
        schedule = self.look()
        if self.retimed:
            rows = Firing.objects.filter(schedule=schedule).exclude(trigger="manual").order_by("due_at")
            ends = [(row.due_at, row.until_at or row.due_at) for row in rows]
            assert all(end < start for (_, end), (start, _) in pairwise(ends))
            return
        instants = [instant for instant, _ in expand(schedule)]
        assert schedule.next_due_at is not None
        first = NOW.replace(second=0) + timedelta(minutes=1)
        count = (schedule.next_due_at - first) // timedelta(minutes=1)
        assert instants == [first + at * timedelta(minutes=1) for at in range(count)]

    @invariant()
    def each_run_has_one_line_and_at_most_one_is_under_way(self) -> None:
        run_ids = [pk for pk in Firing.objects.values_list("run_id", flat=True) if pk]
        assert sorted(run_ids) == sorted(Run.objects.filter(kind="cron").values_list("pk", flat=True))
        assert len(set(run_ids)) == len(run_ids)
        assert Firing.objects.filter(execution__in=["queued", "running"]).count() <= 1

    @invariant()
    def what_stands_still_fires_nothing(self) -> None:
        if self.look().state in (ScheduleState.PAUSED, ScheduleState.BROKEN):
            with unit_of_work():
                assert clock.tick(now=self.now) == 0


def test_whatever_happens_each_instant_has_one_line(team: Team, chat: Conversation) -> None:
    run_state_machine_as_test(
        partial(Schedules, team, chat),
        settings=settings(max_examples=60, stateful_step_count=30, suppress_health_check=list(HealthCheck)),
    )
