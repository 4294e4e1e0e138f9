"""Approvals as a state machine: whatever people and the clock do, in any order, nothing is done twice or unapproved."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.actor import Actor
from accounts.errors import AccountsError
from accounts.models import Membership, Role
from tasks.models import PENDING_STATES, Approval, ApprovalRule, ApprovalState, Verdict
from tasks.services.approvals import asking, kinds
from tasks.services.approvals.deciding import answer, decide
from tasks.services.approvals.errors import ActionChanged, NotRunnable
from tasks.services.approvals.executing import claim
from tasks.services.approvals.expiry import expire_due
from tests.factories import Team, make_team
from tests.tasks.counting import ask_for

PEOPLE = ("owner", "admin", "moderator", "member", "other_member")
ROLES = (Role.OWNER, Role.ADMIN, Role.MODERATOR, Role.MEMBER)
people = st.sampled_from(PEOPLE)
_numbers = itertools.count()


class Approvals(RuleBasedStateMachine):
    """Two kinds: "now" is done with the last verdict, "later" is claimed by whoever asked."""

    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.team: Team = make_team(f"machine{next(_numbers)}")
        self.runs: dict[int, int] = {}
        self.changed: set[int] = set()
        for kind, waits in (("now", False), ("later", True)):
            executor = kinds.Executor(
                kind, check=self._check, execute=self._execute, waits=lambda _, waits=waits: waits
            )
            kinds.register(kind, executor)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        for kind in ("now", "later"):
            kinds._executors.pop(kind, None)

    def _check(self, approval: Approval) -> None:
        if approval.pk in self.changed:
            raise ActionChanged("changed")

    def _execute(self, approval: Approval) -> str:
        self._ran(approval)
        return "done"

    def _ran(self, approval: Approval) -> None:
        """Judge by the memberships and rules of this very moment, in words of the test's own."""
        self.runs[approval.pk] = self.runs.get(approval.pk, 0) + 1
        now = ApprovalRule.objects.filter(organization=self.team.organization).first()
        role = max(
            [Role(approval.minimum_role), *([Role(now.minimum_role)] if now else [])], key=lambda r: r.level
        )
        needed = max(approval.needed, now.needed if now else 1)
        four_eyes = approval.four_eyes or bool(now and now.four_eyes)
        said = approval.decisions.filter(verdict=Verdict.APPROVE).values_list("user_id", flat=True)
        able = [
            row.user_id
            for row in Membership.objects.filter(organization=self.team.organization, user_id__in=said)
            if row.level >= role.level and not (four_eyes and row.user_id == approval.requester_user_id)
        ]
        assert len(able) >= needed
        assert approval.expires_at > timezone.now()
        assert approval.pk not in self.changed
        assert Membership.objects.filter(
            organization=self.team.organization, user_id=approval.requester_user_id
        ).exists()

    def _actor(self, who: str) -> Actor | None:
        actor: Actor = getattr(self.team, who)
        row = Membership.objects.filter(organization=self.team.organization, user=actor.user).first()
        return Actor(actor.user, self.team.organization, Role(row.role)) if row else None

    def _try(self, act: Any) -> None:
        try:
            with transaction.atomic():
                act()
        except (AccountsError, NotRunnable):
            return

    @rule(target=asked, kind=st.sampled_from(["now", "later"]), who=people)
    def ask(self, kind: str, who: str) -> int:
        by = getattr(self.team, who)
        return ask_for(self.team, by=by, kind=kind, origin_key=f"key{next(_numbers)}").pk

    @rule(pk=asked, who=people, verdict=st.sampled_from(Verdict.values))
    def decide(self, pk: int, who: str, verdict: str) -> None:
        if actor := self._actor(who):
            self._try(lambda: decide(actor, pk, verdict, comment="words"))

    @rule(pk=asked, who=people)
    def answer(self, pk: int, who: str) -> None:
        if actor := self._actor(who):
            self._try(lambda: answer(actor, pk, "because"))

    @rule(pk=asked, who=people)
    def withdraw(self, pk: int, who: str) -> None:
        if actor := self._actor(who):
            self._try(lambda: asking.withdraw(actor, pk))

    @rule(pk=asked, honest=st.booleans())
    def claim(self, pk: int, honest: bool) -> None:
        """Whoever asked for the later kind runs it; now and then another action than the one approved."""
        approval = Approval.objects.get(pk=pk)
        if approval.kind != "later":
            return
        digest = approval.digest if honest and pk not in self.changed else "0" * 64

        def act() -> None:
            try:
                claimed = claim(pk, digest=digest)
            except NotRunnable:
                return
            assert honest
            self._ran(claimed)

        act()

    @rule(who=st.sampled_from(["owner", "admin", "moderator"]), by=people, data=st.data())
    def approve_and_claim(self, who: str, by: str, data: st.DataObject) -> None:
        """What mostly happens, with one thing in between."""
        pk = self.ask("later", by)
        self.decide(pk, who, Verdict.APPROVE)
        between = (
            lambda: None,
            lambda: self.change(pk),
            lambda: self.time_passes(pk),
            lambda: self.change_role(who, Role.MEMBER),
            lambda: self.leave_or_come_back(who),
            lambda: self.leave_or_come_back(by),
            lambda: self.set_rule(Role.OWNER, 2, True),
        )
        data.draw(st.sampled_from(between))()
        self.claim(pk, True)
        self.claim(pk, True)

    @rule(pk=asked)
    def change(self, pk: int) -> None:
        self.changed.add(pk)

    @rule(pk=asked)
    def time_passes(self, pk: int) -> None:
        Approval.objects.filter(pk=pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    @rule()
    def sweep(self) -> None:
        expire_due()

    @rule(who=people, role=st.sampled_from(ROLES))
    def change_role(self, who: str, role: Role) -> None:
        user = getattr(self.team, who).user
        Membership.objects.filter(organization=self.team.organization, user=user).update(role=role)

    @rule(who=people)
    def leave_or_come_back(self, who: str) -> None:
        user = getattr(self.team, who).user
        rows = Membership.objects.filter(organization=self.team.organization, user=user)
        if rows.exists():
            rows.delete()
        else:
            Membership.objects.create(organization=self.team.organization, user=user, role=Role.MEMBER)

    @rule(role=st.sampled_from(ROLES), needed=st.integers(1, 2), four_eyes=st.booleans())
    def set_rule(self, role: Role, needed: int, four_eyes: bool) -> None:
        ApprovalRule.objects.update_or_create(
            organization=self.team.organization, agent_id=None, kind="", subject="",
            defaults={"minimum_role": role, "needed": needed, "four_eyes": four_eyes},
        )  # fmt: skip

    @invariant()
    def nothing_is_done_twice_and_rows_say_what_was_done(self) -> None:
        for approval in Approval.objects.filter(organization=self.team.organization):
            times = self.runs.get(approval.pk, 0)
            assert times == (approval.state == ApprovalState.EXECUTED), approval
            assert (approval.used_at is not None) == (approval.state == ApprovalState.EXECUTED)
            is_open = approval.state in (*PENDING_STATES, ApprovalState.APPROVED)
            assert (approval.closed_at is None) == is_open


@pytest.mark.slow
@pytest.mark.django_db
def test_nothing_is_done_twice_or_unapproved_whatever_happens_in_any_order() -> None:
    run_state_machine_as_test(
        Approvals,
        settings=settings(max_examples=60, stateful_step_count=30, suppress_health_check=list(HealthCheck)),
    )
