"""A task under everything that people, agents, workers and crashes do to it, in any order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.errors import AccountsError
from realtime.models import Notice
from tasks.agents import Workforce, set_workforce, workforce
from tasks.authors import by_person
from tasks.models import (
    PENDING_STATES,
    Approval,
    ApprovalState,
    Attempt,
    AuthorKind,
    Outcome,
    TaskRevision,
    TaskState,
    Verdict,
)
from tasks.services.approvals.asking import withdraw
from tasks.services.approvals.canonical import digest_of
from tasks.services.approvals.deciding import decide
from tasks.services.approvals.expiry import expire_due
from tasks.services.board import create_task, edit_task, restore_revision
from tasks.services.changes import lock_task
from tasks.services.moves import approve_task, archive_task, move_task, reject_task, unarchive_task
from tasks.services.proposals.contents import proposal_of
from tasks.services.proposals.following import heal
from tasks.services.starting import MOST_INTERRUPTIONS, begin, settle, start_task
from tasks.snapshots import Holder, snapshot
from tests.factories import make_team
from tests.tasks.conftest import agent_of

PEOPLE = st.sampled_from(["moderator", "member", "other_member"])
STATES = st.sampled_from(list(TaskState))


class Board(RuleBasedStateMachine):
    """The model knows three things: whether a person has approved what stands there, who holds the open attempt, and
    the revision each of two writers has seen last. People decide at two doors: the board, and the approvals."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.before = workforce()
        self.team = make_team("acme")
        self.runs = 0
        self.alive: set[int] = set()
        set_workforce(Workforce(names=lambda pk: {self.team.agent.pk: "Spacebot"}, start=self.new_run))
        self.task = create_task(
            agent_of(self.team), title="Work", assignee=Holder("agent", self.team.agent.pk)
        )
        self.approved = False
        self.seen = {"member": 1, "moderator": 1}

    def teardown(self) -> None:
        set_workforce(self.before)
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def new_run(self, *args: Any) -> int:
        self.runs += 1
        self.alive.add(self.runs)
        return self.runs

    def attempt(self, act: Any) -> bool:
        try:
            with transaction.atomic():
                act()
        except AccountsError:
            return False
        finally:
            self.task.refresh_from_db()
        return True

    @rule(who=PEOPLE, to=STATES)
    def move(self, who: str, to: str) -> None:
        waited = self.task.state == TaskState.PENDING_APPROVAL
        done = self.attempt(lambda: move_task(by_person(getattr(self.team, who)), self.task.number, to))
        if done and waited and to != TaskState.PENDING_APPROVAL:
            assert who == "moderator" or self.task.decided_by_id == self.task.requester_user_id
            self.approved = True

    @rule(who=PEOPLE)
    def approve(self, who: str) -> None:
        actor = getattr(self.team, who)
        if self.attempt(lambda: approve_task(actor, self.task.number, expected_revision=self.task.revision)):
            assert self.task.decided_by == actor.user
            self.approved = True

    @rule(
        who=PEOPLE,
        verdict=st.sampled_from(Verdict.values),
        choice=st.sampled_from(["", "backlog"]),
        data=st.data(),
    )
    def inbox_decides(self, who: str, verdict: str, choice: str, data: Any) -> None:
        """The other door: any approval there ever was, so that most of them are for words of before."""
        rows = Approval.objects.filter(task=self.task).order_by("-id")
        found = data.draw(st.sampled_from(list(rows)))
        was_open, choice = found.is_pending, choice if verdict == Verdict.APPROVE else ""
        actor, words = getattr(self.team, who), (self.task.title, self.task.description)
        done = self.attempt(
            lambda: decide(actor, found.pk, verdict, comment="words", digest=found.digest, choice=choice)
        )
        found.refresh_from_db()
        if done and was_open and found.state == ApprovalState.EXECUTED:
            assert (found.action["title"], found.action["description"]) == words
            assert self.task.decided_by == actor.user
            self.approved = True

    @rule(late=st.booleans())
    def time_passes(self, late: bool) -> None:
        """Nobody decides in time, or whoever asked takes it back."""
        if late:
            past = timezone.now() - timedelta(seconds=1)
            Approval.objects.filter(task=self.task, state__in=PENDING_STATES).update(expires_at=past)
            expire_due()
            self.task.refresh_from_db()
        elif found := Approval.objects.filter(task=self.task, state__in=PENDING_STATES).first():
            self.attempt(lambda: withdraw(self.team.moderator, found.pk))

    @rule()
    def sweep(self) -> None:
        assert heal() == 0

    @rule(who=PEOPLE)
    def reject(self, who: str) -> None:
        if self.attempt(lambda: reject_task(getattr(self.team, who), self.task.number)):
            assert self.task.archived_at

    @rule(who=PEOPLE)
    def archive(self, who: str) -> None:
        self.attempt(lambda: archive_task(getattr(self.team, who), self.task.number))

    @rule(who=PEOPLE)
    def unarchive(self, who: str) -> None:
        self.attempt(lambda: unarchive_task(getattr(self.team, who), self.task.number))

    @rule(to=STATES)
    def agent_moves(self, to: str) -> None:
        before = self.task.state
        self.attempt(lambda: move_task(agent_of(self.team), self.task.number, to))
        if before == TaskState.PENDING_APPROVAL:
            assert self.task.state == before

    @rule(text=st.sampled_from(["a", "b"]))
    def agent_writes(self, text: str) -> None:
        revision = self.task.revision
        self.attempt(lambda: edit_task(agent_of(self.team), self.task.number, description=text))
        if self.task.revision != revision:
            assert self.task.state == TaskState.PENDING_APPROVAL
            self.approved = False

    @rule(who=st.sampled_from(["member", "moderator"]), text=st.sampled_from("xyz"))
    def person_writes(self, who: str, text: str) -> None:
        """Two writers save what they saw: whoever is late is told, and nothing of theirs is written."""
        author, seen = by_person(getattr(self.team, who)), self.seen[who]
        current = self.task.revision
        done = self.attempt(lambda: edit_task(author, self.task.number, expected_revision=seen, title=text))
        assert not (done and seen != current)
        if self.task.revision != current:
            assert self.task.requester_user_id == author.user_id
        self.seen[who] = self.task.revision

    @rule(who=st.sampled_from(["member", "moderator"]))
    def person_looks(self, who: str) -> None:
        self.seen[who] = self.task.revision

    @rule(number=st.integers(1, 4))
    def restore(self, number: int) -> None:
        state = self.task.state
        author = by_person(self.team.moderator)
        self.attempt(
            lambda: restore_revision(author, self.task.number, number, expected_revision=self.task.revision)
        )
        assert self.task.state == state

    @rule(who=PEOPLE)
    def start(self, who: str) -> None:
        self.attempt(lambda: start_task(getattr(self.team, who), self.task.number))

    @rule()
    def agent_starts(self) -> None:
        author, agent_id = agent_of(self.team), self.team.agent.pk

        def act() -> None:
            begin(author, lock_task(author, self.task.number), agent_id=agent_id, start=self.new_run)

        self.attempt(act)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), outcome=st.sampled_from(list(Outcome)), crash=st.booleans())
    def end(self, data: Any, outcome: Outcome, crash: bool) -> None:
        """A run ends, or dies and is settled by the sweep; twice, because both may see it."""
        run_id = data.draw(st.sampled_from(sorted(self.alive)))
        kind = AuthorKind.SYSTEM if crash else AuthorKind.WORKER
        settle(run_id, outcome, "said", kind=kind)
        assert not settle(run_id, Outcome.SUCCEEDED, "again")
        self.alive.discard(run_id)
        self.task.refresh_from_db()
        newest = Attempt.objects.filter(task=self.task).order_by("-number")[:MOST_INTERRUPTIONS]
        if [each.outcome for each in newest] == [Outcome.INTERRUPTED] * MOST_INTERRUPTIONS:
            assert self.task.state == TaskState.FAILED

    @invariant()
    def nothing_runs_or_can_run_unapproved(self) -> None:
        if not self.approved:
            assert self.task.state == TaskState.PENDING_APPROVAL

    @invariant()
    def what_waits_is_asked_about_once_and_as_it_reads(self) -> None:
        asked = list(Approval.objects.filter(task=self.task, state__in=PENDING_STATES))
        if self.task.state != TaskState.PENDING_APPROVAL or self.task.archived_at:
            assert asked == []
            return
        (one,) = asked
        action = proposal_of(self.task).action
        assert one.digest == digest_of(self.task.organization_id, "task", action)
        notices = Notice.objects.filter(key=f"approval:task:{self.task.pk}", read_at=None)
        assert notices.exists()

    @invariant()
    def nothing_is_told_of_what_does_not_wait(self) -> None:
        if self.task.state != TaskState.PENDING_APPROVAL or self.task.archived_at:
            assert not Notice.objects.filter(key=f"approval:task:{self.task.pk}", read_at=None).exists()

    @invariant()
    def under_way_by_an_agent_means_one_open_attempt(self) -> None:
        open_attempts = Attempt.objects.filter(task=self.task, ended_at=None).count()
        assert open_attempts <= 1
        if self.task.assignee_agent_id is not None:
            assert (open_attempts == 1) == (self.task.state == TaskState.IN_PROGRESS)

    @invariant()
    def the_newest_revision_says_what_the_task_says(self) -> None:
        newest = TaskRevision.objects.filter(task=self.task).order_by("-number")[0]
        assert newest.number == self.task.revision == TaskRevision.objects.filter(task=self.task).count()
        assert newest.snapshot == snapshot(self.task)

    @invariant()
    def a_done_task_says_when(self) -> None:
        assert (self.task.completed_at is not None) == (self.task.state == TaskState.DONE)


STEPS = settings(
    max_examples=25,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.django_db
def test_a_task_keeps_its_promises_in_any_order() -> None:
    connection.ensure_connection()
    run_state_machine_as_test(Board, settings=STEPS)
