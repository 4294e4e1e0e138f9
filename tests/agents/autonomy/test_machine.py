"""Autonomy as a state machine: whatever rings, ends, dies, pauses and turns the dial, one run at a time and no wake is lost."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents.autonomy import ending, pausing, starting
from agents.autonomy.settings import change_autonomy, set_ceiling
from agents.models import LIVE_STATES, Autonomy, Run, RunKind, RunState
from tasks.models import Wake, WakeEvent, WakePayload, WakeState
from tasks.services.wakes import taking
from tasks.services.wakes.ringing import fire
from tests.factories import Team, make_team

ENDS = (RunState.SUCCEEDED, RunState.FAILED, RunState.TIMED_OUT, RunState.CANCELLED, RunState.INTERRUPTED)


class Autonomous(RuleBasedStateMachine):
    """The model counts what rang, and remembers when the last run began."""

    def __init__(self, team: Team) -> None:
        super().__init__()
        self.team = team
        self.block = transaction.atomic()
        self.block.__enter__()
        self.now = timezone.now()
        self.rang = 0
        change_autonomy(team.admin, team.agent.pk, level="act", gap_s=60)
        self.wake = Wake.objects.filter(agent_id=team.agent.pk, happening="cortex.finding").get()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def live(self) -> Run | None:
        return Run.objects.filter(kind=RunKind.AUTONOMY, state__in=LIVE_STATES).first()

    @rule(seconds=st.integers(1, 4_000))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(key=st.sampled_from(["a", "b", ""]))
    def something_rings(self, key: str) -> None:
        self.rang += 1
        assert fire(self.wake.pk, key=key, payload={"number": self.rang}) == 1

    @rule(times=st.integers(1, 3))
    def several_look_at_once(self, times: int) -> None:
        row = Autonomy.objects.get(agent=self.team.agent)
        was_live, standing = self.live(), starting.standing_of(self.team.agent.pk)
        started = sum(starting.start_due(now=self.now) for _ in range(times))
        assert started <= 1
        if started:
            assert was_live is None
            assert not standing.is_paused
            assert standing.level != "off"
            assert row.not_before is None or row.not_before <= self.now
            assert row.last_started_at is None or self.now - row.last_started_at >= timedelta(seconds=60)

    @precondition(lambda self: self.live() is not None)
    @rule(state=st.sampled_from(ENDS))
    def the_run_ends(self, state: RunState) -> None:
        run = self.live()
        assert run is not None
        Run.objects.filter(pk=run.pk).update(state=state, finished_at=self.now)
        ending.has_ended(run, state, why="It ended.")

    @precondition(lambda self: self.live() is not None)
    @rule()
    def the_run_vanishes(self) -> None:
        Run.objects.filter(kind=RunKind.AUTONOMY, state__in=LIVE_STATES).update(
            state=RunState.INTERRUPTED, finished_at=self.now
        )
        ending.settle_orphans()

    @rule()
    def orphans_are_settled_while_all_is_well(self) -> None:
        ending.settle_orphans()

    @rule(level=st.sampled_from(["off", "observe", "suggest", "act"]))
    def the_dial_turns(self, level: str) -> None:
        change_autonomy(self.team.admin, self.team.agent.pk, level=level)

    @rule(level=st.sampled_from(["off", "observe", "act"]))
    def the_ceiling_moves(self, level: str) -> None:
        set_ceiling(self.team.admin, level)

    @rule(everyone=st.booleans())
    def somebody_pauses(self, everyone: bool) -> None:
        pausing.pause(self.team.admin, None if everyone else self.team.agent.pk)
        assert not Run.objects.filter(kind=RunKind.AUTONOMY, state=RunState.QUEUED).exists()
        ending.settle_orphans()

    @rule(everyone=st.booleans())
    def somebody_resumes(self, everyone: bool) -> None:
        pausing.resume(self.team.admin, None if everyone else self.team.agent.pk)

    @invariant()
    def one_run_lives_at_most(self) -> None:
        assert Run.objects.filter(kind=RunKind.AUTONOMY, state__in=LIVE_STATES).count() <= 1

    @invariant()
    def every_ring_is_kept_and_accounted_for(self) -> None:
        assert WakePayload.objects.count() == self.rang
        assert sum(WakeEvent.objects.values_list("count", flat=True)) == self.rang

    @invariant()
    def what_is_taken_is_held_by_the_live_run(self) -> None:
        run = self.live()
        holders = set(WakeEvent.objects.filter(state=WakeState.TAKEN).values_list("run_id", flat=True))
        assert holders <= ({run.pk} if run else set())

    @invariant()
    def what_is_given_up_says_why(self) -> None:
        for event in WakeEvent.objects.filter(state=WakeState.DROPPED):
            assert event.tries >= taking.MOST_TRIES
            assert event.reason


def test_autonomy_holds_under_everything(db: None) -> None:
    make_team("rivals")
    team = make_team("acme")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        partial(Autonomous, team),
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
