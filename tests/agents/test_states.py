"""The state machine, claims with fences, and coalescing, as properties."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents.engine import endings
from agents.engine.claims import Claim, claim, fenced
from agents.errors import IllegalTransition, LostLease
from agents.loop import Ending
from agents.models import LIVE_STATES, TERMINAL_STATES, Run, RunState
from agents.processes.channel import Channel
from agents.services.conversations import send_message
from agents.services.runs import request_cancel
from agents.states import TRANSITIONS, check_transition
from messaging.models import Handling, Message
from messaging.services.conversations import start_conversation
from tests.factories import make_team


@given(before=st.sampled_from(RunState.values), after=st.sampled_from(RunState.values))
def test_only_the_tables_transitions_are_legal(before: str, after: str) -> None:
    if RunState(after) in TRANSITIONS[RunState(before)]:
        check_transition(before, after)
    else:
        with pytest.raises(IllegalTransition):
            check_transition(before, after)


def test_nothing_leaves_a_terminal_state() -> None:
    assert all(not TRANSITIONS[state] for state in TERMINAL_STATES)
    assert set(TRANSITIONS) == set(RunState)


class Conversation(RuleBasedStateMachine):
    """Messages, executors that claim, finish, fail or vanish, and cancellations, in any order.

    Whatever happens: one live channel run at most, no write under an old fence, one answer per message.
    """

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.team = make_team("acme")
        self.conversation = start_conversation(self.team.member, agent_id=self.team.agent.pk, kind=self.kind)
        self.claims: list[Claim] = []
        self.said = 0
        self.finished = 0

    kind = "dm"

    @rule()
    def say(self) -> None:
        self.said += 1
        send_message(self.team.member, self.conversation.pk, text=f"message {self.said}")

    @rule()
    def claim_run(self) -> None:
        run = Run.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).first()
        if run is None:
            return
        Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(due_at=timezone.now() - timedelta(days=1))
        found = claim(run.pk, run.kind, run.conversation_id)
        # Lost by a day: in one transaction the clock of the database stands still, and ours goes on.
        lost_at = timezone.now() - timedelta(hours=1)
        expired = run.state == RunState.RUNNING and run.lease_expires_at < lost_at
        assert (found is not None) == (run.state == RunState.QUEUED or expired)
        if found is not None:
            assert all(found.fence > other.fence for other in self.claims if other.run_id == found.run_id)
            self.claims.append(found)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), state=st.sampled_from([RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED]))
    def finish(self, data: Any, state: RunState) -> None:
        holder = data.draw(st.sampled_from(self.claims))
        run = Run.objects.select_related("agent", "conversation").get(pk=holder.run_id)
        valid = run.fence == holder.fence and run.state == RunState.RUNNING
        process = Channel(run, holder)
        joined = process._collect_first()
        process.join(joined)
        failure = {"class": "Test", "message": "it failed"} if state == RunState.FAILED else None
        try:
            with fenced(holder) as held:
                if state == RunState.SUCCEEDED and process.message_ids:
                    process.say("an answer", key=f"run{run.pk}.{holder.fence}")
                endings.finish(process, Ending(state, "done", failure=failure), held)
            assert valid
            self.finished += 1
        except LostLease:
            assert not valid

    @rule()
    def lose_the_lease(self) -> None:
        Run.objects.filter(state=RunState.RUNNING).update(lease_expires_at=timezone.now() - timedelta(days=1))

    @rule()
    def cancel(self) -> None:
        run = Run.objects.filter(state__in=LIVE_STATES).first()
        if run is not None:
            request_cancel(run, reason="test")

    @invariant()
    def one_live_channel_run_at_most(self) -> None:
        assert Run.objects.filter(kind="channel", state__in=LIVE_STATES).count() <= 1

    @invariant()
    def nothing_unanswered_is_forgotten(self) -> None:
        if Message.objects.filter(handling=Handling.UNANSWERED).exists():
            assert Run.objects.filter(kind="channel", state__in=LIVE_STATES).exists()

    @invariant()
    def terminal_states_have_a_time(self) -> None:
        assert not Run.objects.filter(state__in=TERMINAL_STATES, finished_at=None).exists()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)


class SharedConversation(Conversation):
    """The same with coalescing: a queued run is held back, never beyond its limit."""

    kind = "group"

    @invariant()
    def a_burst_waits_at_most_five_seconds(self) -> None:
        for run in Run.objects.filter(state=RunState.QUEUED, coalesce_until__isnull=False):
            assert run.due_at <= run.coalesce_until
            assert run.coalesce_until <= run.created_at + timedelta(seconds=5.1)


STEPS = settings(
    max_examples=25,
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [Conversation, SharedConversation])
def test_runs_claims_and_coalescing_hold_in_any_order(machine: type[Conversation]) -> None:
    connection.ensure_connection()
    run_state_machine_as_test(machine, settings=STEPS)
